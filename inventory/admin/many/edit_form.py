"""What of a noun is edited for many rows at once: each field as it is, or with a new value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from inventory.admin import asking
from inventory.document.bulk import Edit
from inventory.importers.csv import columns
from inventory.models import Group, Host, Interface, Role, Segment, Service, Site, VirtualMachine

LEAVE = ("", "leave as it is")
#: the way of a field that has a value beside it
_SET = [LEAVE, ("set", "set to"), ("clear", "clear")]
_APPEND = [LEAVE, ("append", "append"), ("set", "replace by"), ("clear", "clear")]
_LIST = [LEAVE, ("add", "add"), ("remove", "take out"), ("replace", "replace by"), ("clear", "clear")]
_LINKS = [LEAVE, ("add", "add to"), ("remove", "take out of"), ("replace", "exactly these")]
_NONE = "-"

Choices = Callable[[Sequence[Site]], list[tuple[str, str]]]


@dataclass(frozen=True)
class Editable:
    """One field. With *choices* alone it is one select; with *ways* there is a value beside the way."""

    name: str
    label: str
    choices: Choices | None = None
    ways: Sequence[tuple[str, str]] = ()
    read: Callable[[str], Any] = columns.word
    help_text: str = ""
    lines: int = 0

    @property
    def is_single(self) -> bool:
        return not self.ways


def _fixed(choices: Any, *, may_be_none: bool = False) -> Choices:
    return lambda sites: [*choices, *([(_NONE, "none")] if may_be_none else [])]


def _names(model: Any, column: str, **only: Any) -> Choices:
    """Names that one of the sites has. A name that another site lacks is refused at that site's rows."""

    def found(sites: Sequence[Site]) -> list[tuple[str, str]]:
        rows = model.objects.filter(site__in=sites, **only).order_by(column)
        return [(name, name) for name in rows.values_list(column, flat=True).distinct()]

    return found


def _or_none(choices: Choices) -> Choices:
    return lambda sites: [*choices(sites), (_NONE, "none")]


_YES_NO = _fixed([("yes", "yes"), ("no", "no")])
_OF_VM = "Machine specifications are those of virtual machines."
_HOST_NAME = "The name of a host of the site."

EDITABLE: Mapping[str, Sequence[Editable]] = {
    "host": (
        Editable("status", "Status", _fixed(Host.Status.choices)),
        Editable("role", "Role", _or_none(_names(Role, "slug"))),
        Editable("form", "Form", _fixed(Host.Form.choices)),
        Editable("plane", "Plane", _fixed(Host.Plane.choices)),
        Editable("hypervisor", "Hypervisor", _or_none(_names(Host, "name", form=Host.Form.HYPERVISOR))),
        Editable(
            "needs",
            "Needs",
            ways=_LIST,
            read=columns.words,
            help_text="Names of hosts of the site, separated by blanks.",
        ),
        Editable("platform", "Platform", ways=_SET),
        Editable("location", "Location", ways=_SET),
        Editable("console_kind", "Console", _fixed(Host.Console.choices)),
        Editable("power_kind", "Power", _fixed(Host.Power.choices)),
        Editable("power_address", "Power: address or PDU", ways=_SET),
        Editable("notes", "Notes", ways=_APPEND, read=columns.text, lines=3),
        Editable("machine_cores", "Machine: cores", ways=_SET, read=columns.number, help_text=_OF_VM),
        Editable("machine_memory", "Machine: memory (MiB)", ways=_SET, read=columns.number),
        Editable("machine_os_disk", "Machine: OS disk (GiB)", ways=_SET, read=columns.number),
        Editable("machine_boot", "Machine: boot", _fixed(VirtualMachine.Boot.choices)),
        Editable("machine_template", "Machine: template", ways=_SET),
        Editable("machine_ciuser", "Machine: cloud-init user", ways=_SET),
        Editable("machine_ssh_keys", "Machine: SSH public keys", ways=_APPEND, read=columns.text, lines=3),
        Editable("machine_start_on_boot", "Machine: start on boot", _YES_NO),
        Editable("machine_agent", "Machine: guest agent", _YES_NO),
        Editable("machine_rng", "Machine: random number device", _YES_NO),
        Editable("groups", "Groups", _names(Group, "name", kind=Group.Kind.GROUP), _LINKS),
        Editable("profiles", "Workload profiles", _names(Group, "name", kind=Group.Kind.PROFILE), _LINKS),
    ),
    "interface": (
        Editable("segment", "Segment", _or_none(_names(Segment, "name"))),
        Editable("addressing", "Addressing", _fixed(Interface.Addressing.choices)),
        Editable("a_record", "Address record", _YES_NO),
        Editable("reservation", "DHCP reservation", _YES_NO),
        Editable("management", "Management address", _YES_NO),
        Editable("wake_on_lan", "Wake-on-LAN", _YES_NO),
        Editable("pxe_server", "Boot server", ways=_SET),
        Editable("pxe_file", "Boot file", ways=_SET),
        Editable("switch", "Switch", ways=_SET, help_text=_HOST_NAME),
    ),
    "segment": (
        Editable("policy", "DHCP policy", _fixed(Segment.Policy.choices)),
        Editable("trust", "Trust", ways=_SET),
        Editable(
            "dns_servers", "DNS servers", ways=_LIST, read=columns.addresses, help_text="Separated by blanks."
        ),
        Editable(
            "search_domains",
            "Search domains",
            ways=_LIST,
            read=columns.words,
            help_text="Separated by blanks.",
        ),
        Editable("jump_host", "Jump host", ways=_SET, help_text=_HOST_NAME),
        Editable("jump_alternative", "Second jump host", ways=_SET, help_text=_HOST_NAME),
        Editable("wake_relay", "Wake-on-LAN relay", ways=_SET, help_text=_HOST_NAME),
        Editable("next_server", "Boot server (next-server)", ways=_SET, read=columns.ipv4),
    ),
    "service": (
        Editable("host", "Host", ways=[LEAVE, ("set", "move to")], help_text=_HOST_NAME),
        Editable("port", "Port", ways=_SET, read=columns.number),
        Editable("health_check", "Health check", ways=_SET),
        Editable("metrics_path", "Metrics path", ways=_SET),
        Editable("web_scheme", "Web page", _or_none(_fixed(Service.WebScheme.choices))),
    ),
    "group": (
        Editable("priority", "Priority", ways=_SET, read=columns.signed),
        Editable("parents", "Parents", _names(Group, "name", kind=Group.Kind.GROUP), _LINKS),
    ),
}
_FLAGS = frozenset(
    {
        "a_record", "reservation", "management", "wake_on_lan", "machine_start_on_boot", "machine_agent",
        "machine_rng",
    }
)  # fmt: skip


class EditForm(forms.Form):
    """One select for each field, and beside it a value where the way needs one."""

    def __init__(self, noun: str, sites: Sequence[Site], data: Any = None) -> None:
        super().__init__(data)
        self.editable = EDITABLE[noun]
        for one in self.editable:
            choices = one.choices(sites) if one.choices else []
            if one.is_single:
                self.fields[one.name] = _select(one, [LEAVE, *choices])
                continue
            self.fields[f"how_{one.name}"] = _select(one, one.ways)
            self.fields[one.name] = _beside(one, choices)

    def rows(self) -> Iterator[tuple[Editable, Any, Any]]:
        """(field, its first control, the value beside it or None) for the page."""
        for one in self.editable:
            if one.is_single:
                yield one, self[one.name], None
            else:
                yield one, self[f"how_{one.name}"], self[one.name]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        edits: dict[str, Edit] = {}
        for one in self.editable:
            edit = self._single(one, given) if one.is_single else self._beside(one, given)
            if edit is not None:
                edits[one.name] = edit
        if not edits and not self.errors:
            self.add_error(None, "Nothing was chosen to change: every field is left as it is.")
        given["edits"] = edits
        return given

    def _single(self, one: Editable, given: dict[str, Any]) -> Edit | None:
        value = given.get(one.name, "")
        if not value:
            return None
        if value == _NONE:
            return Edit("clear")
        return Edit("set", value == "yes" if one.name in _FLAGS else value)

    def _beside(self, one: Editable, given: dict[str, Any]) -> Edit | None:
        how: Any = given.get(f"how_{one.name}", "")
        said = given.get(one.name) or ""
        if not how:
            if said and f"how_{one.name}" not in self.errors:
                self.add_error(one.name, "Choose what to do with it; it is left as it is so far.")
            return None
        if how == "clear":
            return Edit("clear")
        if one.choices:
            if not said and how != "replace":
                self.add_error(one.name, "Choose at least one.")
            return Edit(how, list(said))
        if not said.strip():
            self.add_error(one.name, "Say the value, or choose to clear the field.")
            return None
        try:
            return Edit(how, one.read(said.strip()))
        except ValueError as problem:
            self.add_error(one.name, str(problem))
            return None


def _select(one: Editable, choices: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=one.label, choices=list(choices), required=False, widget=UnfoldAdminSelectWidget()
    )


def _beside(one: Editable, choices: Sequence[tuple[str, str]]) -> forms.Field:
    label = f"{one.label}: value"
    named = {"aria-label": label}
    if one.choices:
        size = {**named, "size": str(min(6, max(2, len(choices))))}
        widget: Any = UnfoldAdminSelectMultipleWidget(attrs=size)
        return forms.MultipleChoiceField(label=label, choices=list(choices), required=False, widget=widget)
    if one.lines:
        widget = asking.textarea(rows=one.lines)
        widget.attrs |= named
    else:
        widget = UnfoldAdminTextInputWidget(attrs={**named, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=5_000, strip=False, widget=widget)
