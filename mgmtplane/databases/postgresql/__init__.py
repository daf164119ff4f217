"""Django's PostgreSQL backend, which waits for no server that is frozen."""
