"""The only code that talks to the outside. Each imports its one third-party library and ``base``, never models."""
