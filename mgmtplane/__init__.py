"""The project: settings, addresses, Celery, and the supervisor of the processes."""

__version__ = "0.1.0.dev0"
