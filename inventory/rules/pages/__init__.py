"""The pages of all findings, one module a subject; ``inventory.rules.catalogue`` puts them together. Pure."""
