"""Nouns of ``/api/v1/`` that the inventory does not know: whoever has them says so when the application starts."""

from __future__ import annotations

#: name in the address → dotted path of its view, an ``inventory.api.v1.views.Noun``
OTHERS: dict[str, str] = {}
