"""Django's SQLite backend, over files that are there: opening one makes none."""

GONE = "the file of the database is gone"
EMPTY = "the file of the database is empty, and its log is not"
