"""One copy of the application writes a site: which, and how another becomes it."""
