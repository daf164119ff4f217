"""The nouns: what each looks like in a body, and which lists and objects there are of it."""
