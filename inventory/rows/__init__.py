"""Rows → facts: the queries behind a Snapshot, as many for ten thousand hosts as for one."""
