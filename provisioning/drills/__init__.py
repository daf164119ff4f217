"""The drill: the newest backup restored beside the living application, and compared with what it was made from."""
