"""Django's database backends, with what this application asks of them besides."""
