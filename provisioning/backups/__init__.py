"""The application's own backup: one archive, made while it runs, restored on an empty machine."""
