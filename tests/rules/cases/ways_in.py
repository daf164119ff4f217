"""Ways in that are not what they are declared for."""

from __future__ import annotations

from inventory.snapshot import EmergencyUseFacts, MachineFacts, Snapshot
from tests.rules.cases.making import Pair, card, host, of, with_lan

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/"


def used(done_at: str) -> Snapshot:
    use = EmergencyUseFacts("2030-06-01T10:00:00+00:00", "ada", "The router was gone.", done_at)
    return of(host(), emergency_uses=(use,))


def two_ways(second: str) -> Snapshot:
    """Two jump hosts; the first is plugged into sw01."""
    hosts = [
        host("jump01", card("jump01", switch="sw01")),
        host("jump02", card("jump02", "192.0.2.11", switch=second)),
        host("sw01", card("sw01", "192.0.2.12"), form="sw"),
        host("sw02", card("sw02", "192.0.2.13"), form="sw"),
    ]
    return with_lan(*hosts, jump_host="jump01", jump_alternative="jump02")


def keys(second: str) -> Snapshot:
    return of(host("a", host_keys=KEY), host("b", card("b", "192.0.2.11"), host_keys=second))


def relayed(segment: str | None) -> Snapshot:
    return with_lan(host("a", card("a", segment=segment)), wake_relay="a")


def woken_by(carrier: str | None) -> Snapshot:
    """pi01 wakes hv01, and may be a machine on it."""
    form = "vm" if carrier else "pi"
    sleeper = host("hv01", card("hv01", wake_on_lan=True), form="hv")
    relay = host("pi01", card("pi01", "192.0.2.11"), form=form, hypervisor=carrier or "")
    return with_lan(sleeper, relay, wake_relay="pi01")


def led_to_by(*, starts: bool) -> Snapshot:
    """hv01 is reached through a machine that it carries."""
    jump = host(
        "jump01", card("jump01", "192.0.2.11"), form="vm", hypervisor="hv01", vmid=100,
        machine=MachineFacts(start_on_boot=starts),
    )  # fmt: skip
    return with_lan(host("hv01", card("hv01"), form="hv"), jump, jump_host="jump01")


CASES = {
    "emergency-use-open": Pair(used(""), used("2030-06-02T10:00:00+00:00")),
    "host-key-shared": Pair(keys(KEY), keys(OTHER)),
    "jump-alternative-same-switch": Pair(two_ways("sw01"), two_ways("sw02")),
    "jump-host-not-on-boot": Pair(led_to_by(starts=False), led_to_by(starts=True)),
    "wake-relay-elsewhere": Pair(relayed(None), relayed("lan")),
    "wake-relay-waits": Pair(woken_by("hv01"), woken_by(None)),
}
