"""What every test may rely on: see ``tests/settings.py`` for the database, ``tests/components.py`` for tools."""
