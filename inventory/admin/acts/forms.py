"""What pages of acts ask: choices come from the Snapshot that the plan is made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from inventory.acts.new_hosts import Asked
from inventory.admin.fields import MacField, text_input
from inventory.admin.forms import WHY_HELP
from inventory.models import Host
from inventory.snapshot import Snapshot

#: A field that says that the others were on the page: a box that nobody ticked sends nothing.
LIVE = "live"


def choice(names: Iterable[str], *, label: str, empty: str | None = None, **more: Any) -> forms.ChoiceField:
    """One of *names*; *empty* is what no choice is called, if there may be none."""
    none = [] if empty is None else [("", empty)]
    return forms.ChoiceField(
        label=label,
        choices=[*none, *((name, name) for name in names)],
        required=empty is None,
        widget=UnfoldAdminSelectWidget(),
        **more,
    )


def text(*, label: str, help_text: str = "", **more: Any) -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    return forms.CharField(
        label=label, required=False, max_length=253, help_text=help_text, widget=text_input(**attrs), **more
    )


def tick(*, label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text, widget=UnfoldBooleanWidget())


def mac(*, label: str, help_text: str) -> MacField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    return MacField(label=label, required=False, help_text=help_text, widget=text_input(**attrs))


def why(*, needed: bool) -> forms.CharField:
    return forms.CharField(
        label="Reason for this change",
        required=needed,
        max_length=1000,
        widget=text_input(autocomplete="off"),
        help_text=WHY_HELP,
        error_messages={"required": "Say why; nothing was changed yet."},
    )


def with_initial(given: QueryDict, initial: dict[str, Any]) -> QueryDict:
    """What a page sends, or what its address says over *initial* when it is opened."""
    if given.get(LIVE):
        return given
    data = QueryDict(mutable=True)
    for name, value in initial.items():
        data.setlist(name, [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)])
    for name in given:
        data.setlist(name, given.getlist(name))
    return data


class ActForm(forms.Form):
    """A form whose plan is shown while it is filled in. A reason that is needed is needed when the plan is confirmed."""

    #: fields that are folded away
    aside: tuple[str, ...] = ()
    #: hidden (name, value) that the page sends back as they are
    kept: tuple[tuple[str, str], ...] = ()

    def __init__(self, snapshot: Snapshot, *args: Any, **kwargs: Any) -> None:
        self.snapshot = snapshot
        super().__init__(*args, **kwargs)

    def ask_why(self, *, needed: bool, confirmed: bool) -> None:
        """The last field. A browser that looks at the plan alone is not kept from it."""
        self.fields["why"] = why(needed=needed and confirmed)
        if needed:
            self.fields["why"].widget.attrs.update({"required": True, "aria-required": "true"})

    def error_of(self, name: str, message: str) -> None:
        """Beside its field if the page has it, else above."""
        self.add_error(name if name in self.fields else None, message)

    def main(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in (*self.aside, "why", "without")]

    def others(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in self.aside]

    def folded_out(self) -> bool:
        """Whether something is said or wrong in what is folded away."""
        aside = [name for name in self.aside if name in self.fields]
        return any(self[name].errors or self.data.get(name) not in (None, "", "on") for name in aside)

    def boxes(self, name: str, label: str, known: Iterable[str]) -> None:
        """A box for each of *known*, if there are any."""
        choices = [(one, one) for one in known]
        if choices:
            self.fields[name] = forms.MultipleChoiceField(
                label=label, required=False, choices=choices, widget=Boxes()
            )


class NewHostForm(ActForm):
    """What cannot be derived; below, folded away, what is derived and can be said otherwise."""

    aside = (
        "name",
        "interface",
        "group",
        "vmid",
        "address",
        "mac_of_vm",
        "a_record",
        "reservation",
        "pxe_server",
        "pxe_file",
    )

    def __init__(self, snapshot: Snapshot, *args: Any, virtual: bool, **kwargs: Any) -> None:
        super().__init__(snapshot, *args, **kwargs)
        self.virtual = virtual
        site = snapshot.site
        if not virtual:
            forms_ = [one for one in Host.Form.choices if one[0] != "vm"]
            self.fields["form"] = forms.ChoiceField(
                label="Form", choices=forms_, widget=UnfoldAdminSelectWidget()
            )
        self.fields["role"] = choice(
            (one.slug for one in snapshot.roles),
            label="Role",
            empty="none",
            help_text="What it is for: part of names and MACs.",
        )
        if virtual:
            carriers = [host.name for host in snapshot.live_hosts if host.form == "hv"]
            self.fields["hypervisor"] = choice(carriers, label="Hypervisor", empty="not decided")
        self.fields["segment"] = choice(
            (one.name for one in snapshot.segments), label="Segment", empty="none"
        )
        self.fields["plane"] = forms.ChoiceField(
            label="Plane", choices=Host.Plane.choices, widget=UnfoldAdminSelectWidget()
        )
        if not virtual:
            self.fields["mac"] = mac(
                label="MAC", help_text="As printed on it, in any spelling. Empty: read later."
            )
        self.fields["pxe"] = tick(label="Boots from the network (PXE)")
        self.boxes("groups", "Groups", [one.name for one in snapshot.groups])
        self.boxes("profiles", "Workload profiles", [one.name for one in snapshot.profiles])
        self._derived(virtual, site.mac_encoding == "role")
        self.ask_why(needed=False, confirmed=False)

    def _derived(self, virtual: bool, by_role: bool) -> None:
        self.fields["name"] = text(label="Name", help_text="Empty: by the site's naming pattern.")
        self.fields["interface"] = text(label="Interface", help_text="Empty: eth0.")
        if virtual:
            self.fields["vmid"] = forms.IntegerField(
                label="VMID",
                required=False,
                min_value=100,
                max_value=999_999_999,
                widget=text_input(inputmode="numeric", autocomplete="off"),
                help_text="Empty: the lowest free one.",
            )
            self.fields["mac_of_vm"] = mac(label="MAC", help_text="Empty: assigned by the site's encoding.")
            if by_role:
                self.fields["group"] = text(
                    label="Group of the MAC",
                    help_text="NN in the MAC: node or service group, two hex digits. Empty: 00.",
                )
        self.fields["address"] = text(label="IPv4 address", help_text="Empty: the lowest free static one.")
        self.fields["pxe_server"] = text(
            label="Boot server", help_text="Empty: the segment's, else what its others have."
        )
        self.fields["pxe_file"] = text(label="Boot file", help_text="Empty: what most others have.")
        self.fields["a_record"] = tick(label="Address record")
        self.fields["reservation"] = tick(label="DHCP reservation")
        self.fields["without"] = tick(label="Make it without what cannot be handed out")

    def clean_address(self) -> str:
        given = str(self.cleaned_data["address"]).strip()
        try:
            return str(ipaddress.IPv4Address(given)) if given else ""
        except ValueError:
            raise ValidationError(
                f"“{given}” is not an IPv4 address; write one such as 192.0.2.10."
            ) from None

    def clean_group(self) -> str:
        return str(self.cleaned_data["group"]).strip().lower() or "00"

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip().lower()

    def asked(self) -> Asked:
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("why", "mac_of_vm")}
        found = given.pop("mac", None) or self.cleaned_data.get("mac_of_vm") or ""
        for name in ("groups", "profiles"):
            given[name] = tuple(given.get(name, ()))
        given["interface"] = given["interface"].strip() or "eth0"
        return Asked(**{"form": "vm", **given, "mac": found})


class Boxes(forms.CheckboxSelectMultiple):
    """A box for each name; the template of the field puts them into a frame that scrolls."""
