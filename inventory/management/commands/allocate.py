"""manage.py allocate: what is handed out goes to standard output and nothing else does."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from inventory import macs, reading
from inventory.addressing import Range, canonical_address
from inventory.allocation import Handout, Refused, Wanted, allocate
from inventory.management import surveyed

#: What each action prints: the fields of a Handout.
PRINTED = {
    "mac": ("mac",),
    "address": ("ipv4", "ipv6"),
    "vmid": ("vmid",),
    "host": ("host", "vmid", "mac", "ipv4", "ipv6"),
}

WORDS = {
    "name": "its name",
    "vmid": "its VMID",
    "mac": "its MAC",
    "ipv4": "its IPv4 address",
    "ipv6": "its IPv6 address",
}


class Command(BaseCommand):
    help = "Hand out the next free MAC, address, VMID or host name, and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{mac,address,vmid,host,read}")
        mac = self._action(actions, "mac", "an assigned MAC for an interface, in the site's encoding")
        mac.add_argument("--host", required=True, metavar="NAME")
        _of_interface(mac)
        _of_mac(mac)
        surveyed.add_argument(mac)
        address = self._action(
            actions, "address", "an address for an interface, from a segment's static range"
        )
        address.add_argument("--host", required=True, metavar="NAME")
        _of_interface(address)
        _of_address(address)
        vmid = self._action(actions, "vmid", "a VMID for a virtual machine, from the site's range")
        vmid.add_argument("--host", required=True, metavar="NAME")
        surveyed.add_argument(vmid)
        host = self._action(
            actions, "host", "the next host by the site's naming pattern, with what it is to have"
        )
        host.add_argument("--role", default="", metavar="R", help="a role of the site's registry")
        host.add_argument("--form", required=True, metavar="F", help="hv, vm, ph, pi, em, rt, sw or ap")
        host.add_argument("--hypervisor", default="", metavar="NAME", help="the host that carries it")
        host.add_argument("--plane", choices=["management", "tenant"], default="management")
        host.add_argument("--vmid", action="store_true", help="with a VMID")
        host.add_argument("--mac", action="store_true", help="with an assigned MAC")
        _of_interface(host)
        _of_address(host)
        _of_mac(host)
        surveyed.add_argument(host)
        read = actions.add_parser("read", help="say what a MAC names, and hand out nothing")
        read.add_argument("mac", help="in any spelling")
        read.add_argument("--site", required=True, metavar="SLUG")

    def _action(self, actions: Any, name: str, help_text: str) -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(name, help=help_text)
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="everything about it, for other software")
        parser.add_argument(
            "--dry-run", action="store_true", help="what would be handed out now; nothing is kept"
        )
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, kept in history")
        parser.add_argument("--by", default="allocate", metavar="NAME", help="who asks, kept in history")
        return parser

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "read":
                self.stdout.write(macs.describe(reading.load(options["site"]), options["mac"]))
                return
            wanted = _wanted(action, options)
            handout = allocate(
                options["site"],
                wanted,
                by=options["by"],
                why=options["why"],
                source="allocate",
                dry_run=options["dry_run"],
            )
        except ValidationError as refusal:
            raise CommandError("\n".join(refusal.messages)) from None
        except (Refused, ValueError, reading.UnknownSite) as refusal:
            raise CommandError(str(refusal)) from None
        self._say(handout, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(_as_dict(handout, dry_run=options["dry_run"]), indent=2))
            return
        for name in PRINTED[action]:
            value = getattr(handout, name)
            for one in value if isinstance(value, tuple) else [value]:
                if one and not (action == "address" and name not in _families(wanted)):
                    self.stdout.write(str(one))

    def _say(self, handout: Handout, *, dry_run: bool) -> None:
        """What happened, for the person at the screen."""
        given = [WORDS[name] for name in handout.given if name in WORDS]
        would = "would now get" if dry_run else "got"
        if given:
            self.stderr.write(f"{handout.place} {would} {', '.join(given)}.")
        else:
            self.stderr.write(f"{handout.place} has this already; nothing new was handed out.")
        if handout.unasked:
            self.stderr.write(surveyed.NOT_ASKED)


def _of_interface(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--interface",
        default="",
        metavar="I",
        help="made if the host has none of this name; without: the primary one, the only one, or a new eth0",
    )


def _of_mac(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--group", default="00", metavar="NN", help="node or service group in the MAC encoding “role”; 00"
    )


def _of_address(parser: ArgumentParser) -> None:
    parser.add_argument("--segment", default="", metavar="SEG", help="without: where the interface is")
    parser.add_argument(
        "--range",
        default="",
        metavar="FIRST-LAST",
        help="for this call, instead of the segment's static range",
    )
    parser.add_argument(
        "--family",
        choices=["4", "6", "both"],
        default="4",
        help="6: the EUI-64 address of the interface's MAC",
    )


def _wanted(action: str, options: dict[str, Any]) -> Wanted:
    asked_for = {
        name: options[name]
        for name in ("host", "role", "form", "hypervisor", "plane", "interface", "group", "family", "segment")
        if name in options
    }
    if action == "host":
        _refuse_what_would_be_ignored(options)
    return Wanted(
        **asked_for,
        vmid=action == "vmid" or options.get("vmid", False),
        mac=action == "mac" or options.get("mac", False),
        address=action == "address" or (action == "host" and bool(options["segment"])),
        span=_span(options.get("range") or ""),
        surveyed=surveyed.vmids(options.get("surveyed")),
    )


def _refuse_what_would_be_ignored(options: dict[str, Any]) -> None:
    """A new host gets an address only in a segment that is named."""
    if options["segment"]:
        return
    for name, said in (("range", options["range"]), ("family", options["family"] != "4")):
        if said:
            raise Refused(
                f"--{name} is about an address, which a new host gets with --segment; name that too."
            )
    if options["interface"] and not options["mac"]:
        raise Refused("--interface names what gets a MAC or an address; ask for one with --mac or --segment.")


def _span(text: str) -> Range | None:
    if not text:
        return None
    first, dash, last = text.partition("-")
    if not dash:
        raise Refused(f"--range {text} is no range; write first and last address: 192.0.2.2-192.0.2.49.")
    return Range(canonical_address(first), canonical_address(last))


def _families(wanted: Wanted) -> tuple[str, ...]:
    return {"4": ("ipv4",), "6": ("ipv6",), "both": ("ipv4", "ipv6")}[wanted.family]


def _as_dict(handout: Handout, *, dry_run: bool) -> dict[str, Any]:
    names = ("site", "host", "interface", "segment", "mac", "ipv4", "vmid")
    return {
        **{name: getattr(handout, name) or None for name in names},
        "ipv6": list(handout.ipv6),
        "given": list(handout.given),
        "dry_run": dry_run,
    }
