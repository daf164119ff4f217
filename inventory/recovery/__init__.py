"""Pure: what a person needs when nothing runs: the order of rebuilding, what is done by hand, pages without a server."""
