"""Two fictional sites as one file of site documents: ``demo.yml``."""
