"""``/api/v1/``: everything declared, to read and to write, for programs. See ``docs/api.md``."""
