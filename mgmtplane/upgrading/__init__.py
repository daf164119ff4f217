"""From one version of this application to the next, and back in one command.

The standard library alone, and no import from outside this folder: it runs while what it stands on is exchanged. Each
upgrade puts a copy of the folder beside its journal, so that going back works from a source that never had it.
"""
