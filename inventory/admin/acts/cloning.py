"""What the page of a clone asks."""

from __future__ import annotations

from typing import Any

from inventory.acts.cloning import Like
from inventory.admin.acts.forms import ActForm, choice, text, tick
from inventory.snapshot import HostFacts, Snapshot


class CloneForm(ActForm):
    """What of the source the clone gets; role, form, plane, segments and flags it always does."""

    def __init__(self, snapshot: Snapshot, data: Any, source: HostFacts) -> None:
        super().__init__(snapshot, data)
        self.source = source
        self.fields["name"] = text(label="Name", help_text="Empty: the next ordinal.")
        if source.form == "vm":
            carriers = [host.name for host in snapshot.live_hosts if host.form == "hv"]
            self.fields["hypervisor"] = choice(carriers, label="Hypervisor", empty="not decided")
        self.boxes("groups", "Groups", [one.name for one in snapshot.groups])
        self.boxes("profiles", "Workload profiles", [one.name for one in snapshot.profiles])
        self.fields["variables"] = tick(label="With its variables and how people get in")
        self.boxes("services", "Services that move to the clone", [one.label for one in source.services])
        self.fields["without"] = tick(label="Make it without what cannot be handed out")
        self.ask_why(needed=False, confirmed=False)

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip().lower()

    def like(self) -> Like:
        said = {name: value for name, value in self.cleaned_data.items() if name != "why"}
        lists: dict[str, Any] = {
            name: tuple(said.pop(name, ())) for name in ("groups", "profiles", "services")
        }
        return Like(self.source.name, **said, **lists)


def clone_initial(snapshot: Snapshot, source: HostFacts) -> dict[str, Any]:
    return {
        "name": "",
        "hypervisor": source.hypervisor,
        "groups": [one.name for one in snapshot.groups if source.name in one.hosts],
        "profiles": [one.name for one in snapshot.profiles if source.name in one.hosts],
        "variables": "on",
    }
