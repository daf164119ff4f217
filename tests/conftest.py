"""For every test: the database as in ``tests/settings.py``, tools as in ``tests/components.py``."""
