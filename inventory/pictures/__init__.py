"""What a site looks like: address maps, topology, the MAC namespace, what falls with a host. Pure.

Each module turns a Snapshot into frozen values with the text and the places of a picture; templates draw them.
"""
