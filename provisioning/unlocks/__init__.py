"""Secrets that a person enters: which are wanted, who may give them, and what pages say of them."""
