"""From a Snapshot to bytes that somebody fetches: rendered once, kept in the data directory, served until it changes."""
