"""System checks for configuration mistakes; `manage.py check` runs them. Ids are stable."""
