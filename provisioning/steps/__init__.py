"""What jobs do at one machine on its node. Each step looks, acts if needed, and looks again."""
