"""Runs of playbooks in the browser: launched, followed, and found again."""

from provisioning.admin.runs import acting, launching, lists, parts

__all__ = ["acting", "launching", "lists", "parts"]
