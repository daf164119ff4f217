"""What an imported tree said: hosts with the shapes in which it was written."""

from __future__ import annotations

from inventory.snapshot import GroupFacts, HostFacts, InterfaceFacts, SealedFile
from tests.importers.nasty_trees import sealed
from tests.rules.cases.making import LAN, SITE, Pair, card, host, of

FOREIGN = {"keys": ["env"], "opaque:env": "foreign"}
SECRET = SealedFile("host", "h", "host_vars/h.yml", sealed("a: 1\n"))


def imported(mac: str, *, segment: str = "lan", **more):
    """A host whose one interface was written with *mac* and *segment*, and read as far as that is possible."""
    written = {
        "hardware": {"order": ["mac"], "raw": {"mac": mac}},
        "intent": {"order": ["segment"], "raw": {"segment": segment}},
    }
    interface = InterfaceFacts(
        "h", "eth0", mac=mac if mac.count(":") == 5 else None, segment=segment if segment == "lan" else None, written=written
    )  # fmt: skip
    keys = {"keys": ["infrastructure", "env"], "hardware": {"order": ["interfaces"], "raw": {}}}
    return of(
        HostFacts("h", interfaces=(interface,), **{"written": keys, **more}), segments=(LAN,), site=SITE
    )


GOOD = imported("bc:24:11:00:00:01")

CASES = {
    "host-named-as-group": Pair(
        of(host("w1"), host("web", card("web", "192.0.2.11")), groups=[GroupFacts("web", hosts=("w1", "web"))]),
        of(host("w2"), groups=[GroupFacts("web", hosts=("w2",))]),
    ),
    "identity-hidden": Pair(
        of(HostFacts("h", variables={"env": {"stage": "x"}}, written=FOREIGN, interfaces=(card("h"),))),
        of(HostFacts("h", written={"keys": ["env"]}, interfaces=(card("h"),))),
    ),
    "identity-jinja": Pair(imported("{{ a }}{{ b }}"), GOOD),
    "identity-unreadable": Pair(imported("nonsense"), GOOD),
    "segment-undeclared": Pair(imported("bc:24:11:00:00:01", segment="nowhere"), GOOD),
    "variable-pinned": Pair(
        of(HostFacts("h", variables={"a": "inline"}, written={"keys": ["a"], "pinned": ["a"]})),
        of(HostFacts("h", variables={"a": "inline"}, written={"keys": ["a"]})),
    ),
    "vault-sealed": Pair(of(host(), sealed=(SECRET,)), of(host())),
}  # fmt: skip
