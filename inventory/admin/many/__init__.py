"""Many at once: lists as CSV, tables and documents imported, many rows edited together."""
