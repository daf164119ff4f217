"""Runs of playbooks: asked for, frozen, resolved, held, carried out, stored, repeated, pruned."""
