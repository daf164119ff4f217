"""Ansible's words for our nouns: reading them, and writing them again as they were written. Pure."""
