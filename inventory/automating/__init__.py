"""Playbooks, their questions and their schedules, as they are declared."""
