"""A part of a site document, as YAML, as a patch of the site: what it names changes, everything else stays."""

from __future__ import annotations

from inventory import yaml11
from inventory.document.patching import NOUNS, Patch
from inventory.document.text import Complaint, thing_at
from inventory.snapshot import Snapshot


def read(content: bytes, file: str, stored: Snapshot) -> Patch:
    """What *content* says of the site *stored*. What is wrong is complained of in the patch, each with its line."""
    slug = stored.site.slug
    patch = Patch(file, {"site": slug}, yaml11.Positions())
    try:
        value, positions = yaml11.read(content.removeprefix(b"\xef\xbb\xbf"), file)
    except yaml11.YamlProblem as problem:
        sentence = f"{problem.message} {problem.hint}".strip()
        patch.complaints.append(Complaint(file, problem.line or 0, sentence))
        return patch
    if not isinstance(value, dict):
        sentence = f"a part of a site document is a mapping; begin with one of {', '.join(NOUNS)}."
        patch.complaints.append(Complaint(file, positions.line(()), sentence))
        return patch
    patch.positions = positions
    if value.get("site", slug) != slug:
        what = f"is {value['site']}; this imports into {slug}. Take it out, or import it there."
        patch.complaints.append(Complaint(file, positions.line(("site",)), f"{thing_at(('site',))} {what}"))
    patch.values = {**value, "site": slug}
    return patch
