"""Django's PostgreSQL backend, which waits for no server that is frozen."""

from django.db import OperationalError


class Frozen(OperationalError):
    """The server holds the connection and does not answer."""

    def __init__(self) -> None:
        super().__init__("the server of the database holds the connection and does not answer")
