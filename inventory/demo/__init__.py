"""Two fictional sites as one file of site documents, ``demo.yml``, for looking around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("demo.yml")
#: playbooks that can be run at once, and where the document says that they are
PLAYBOOKS = Path(__file__).with_name("playbooks")
PLAYBOOKS_SAID = "/srv/mgmtplane/demo-playbooks"


def declare_demo(by: Any) -> list[str]:
    """Declare the fictional sites and return their names. Raises ``document.declaring.Refused``."""
    from inventory.document.declaring import declare

    why = "A site to look around in."
    text = DOCUMENT.read_text(encoding="utf-8").replace(PLAYBOOKS_SAID, str(PLAYBOOKS))
    done = declare(text.encode(), DOCUMENT.name, apply=True, by=by, why=why)
    return [one.plan.slug for one in done]
