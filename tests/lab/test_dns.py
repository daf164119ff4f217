"""Real questions to real name servers, on the exports of a site made by hand (``dual_stack``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.components import require
from tests.lab import dual_stack, site_files
from tests.lab.dig import Answer, dig
from tests.lab.dual_stack import ADDRESSES, ALIASES, NO_NAMES, NO_POINTERS, SERVICES, ZONE
from tests.lab.network import Lab, Plug
from tests.lab.servers import BIND, DNS_SERVERS, DNSMASQ, Running, Server

pytestmark = pytest.mark.lab

ASKER = Plug("asker", "02:00:00:00:00:99", "management")
ASKER_ADDRESSES = ("192.0.2.250/24", "2001:db8:99::250/64")
#: The router as the asker reaches it, over IPv4 and IPv6.
ROUTER, ROUTER6 = "192.0.2.1", "2001:db8:99::1"

FQDNS = {f"{label}.{ZONE}": addresses for label, addresses in ADDRESSES.items()}
POINTERS = {address: name for name, addresses in FQDNS.items() for address in addresses}
CARRIED = {f"{label}.{ZONE}": f"{host}.{ZONE}" for label, host in SERVICES.items()}


def questions() -> Iterator[tuple[str, str]]:
    for name in (*FQDNS, *ALIASES, *CARRIED, *(f"{label}.{ZONE}" for label in NO_NAMES)):
        yield from ((name, "A"), (name, "AAAA"), (name, "CNAME"))
    for address in (*POINTERS, *NO_POINTERS):
        yield pointer(address)
    yield from (
        (ZONE, "SOA"),
        (ZONE, "NS"),
        ("artifacts.example.net", "SOA"),
        ("99.20.10.in-addr.arpa", "SOA"),
    )


def pointer(address: str) -> tuple[str, str]:
    return ip_address(address).reverse_pointer, "PTR"


def of_version(version: int, addresses: list[str]) -> set[str]:
    return {address for address in addresses if ip_address(address).version == version}


@dataclass(frozen=True)
class Asked:
    running: Running
    answers: dict[tuple[str, str], Answer]
    over_ipv6: Answer

    def __getitem__(self, question: tuple[str, str]) -> Answer:
        return self.answers[question]


@pytest.fixture(scope="module", params=DNS_SERVERS, ids=lambda server: server.format)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    server: Server = request.param
    server.require()
    require("dig", package="bind9-dnsutils")
    folder: Path = tmp_path_factory.mktemp("lab")
    lab = Lab()
    try:
        lab.build(dual_stack.WIRES, [ASKER])
        for address in ASKER_ADDRESSES:
            lab.run(["ip", "addr", "add", address, "dev", "eth0", "nodad"], ASKER.name)
        running = Running(server, lab, site_files.write(dual_stack.SITE, server.format, folder / "export"))
        answers = dig(lab, ASKER.name, ROUTER, questions(), folder)
        name = (f"pi01.{ZONE}", "AAAA")
        yield Asked(running, answers, dig(lab, ASKER.name, ROUTER6, [name], folder)[name])
    finally:
        lab.close()


# The others are resolvers with names of their own: no zones, no serials.
only_bind = pytest.mark.parametrize("asked", [BIND], indirect=True, ids=["bind"])


def test_every_address_resolves_both_ways(asked: Asked) -> None:
    for name, addresses in {**FQDNS, **ALIASES}.items():
        assert asked[name, "A"].values("A") == of_version(4, addresses), name
        assert asked[name, "AAAA"].values("AAAA") == of_version(6, addresses), name
    for address, name in POINTERS.items():
        assert asked[pointer(address)].values("PTR") == {name}, address


def test_a_name_without_an_address_of_one_family_exists_all_the_same(asked: Asked) -> None:
    for name in FQDNS:
        assert {asked[name, kind].status for kind in ("A", "AAAA")} == {"NOERROR"}, name


def test_a_service_leads_to_the_addresses_of_its_host(asked: Asked) -> None:
    for name, host in CARRIED.items():
        assert asked[name, "A"].values("A") == of_version(4, FQDNS[host]), name
        assert asked[name, "AAAA"].values("AAAA") == of_version(6, FQDNS[host]), name


# Unbound does not chase a CNAME in its local data: there a service is copies of its host's addresses.
@pytest.mark.parametrize("asked", [BIND, DNSMASQ], indirect=True, ids=lambda server: server.format)
def test_a_service_is_a_cname_of_its_host(asked: Asked) -> None:
    for name, host in CARRIED.items():
        assert asked[name, "CNAME"].values("CNAME") == {host}, name


def test_what_is_disputed_retired_or_unknown_does_not_exist(asked: Asked) -> None:
    for label in NO_NAMES:
        answer = asked[f"{label}.{ZONE}", "A"]
        assert (answer.status, answer.records) == ("NXDOMAIN", ()), label
    for address in NO_POINTERS:
        answer = asked[pointer(address)]
        assert (answer.status, answer.records) == ("NXDOMAIN", ()), address


@only_bind
def test_every_answer_is_authoritative(asked: Asked) -> None:
    assert [question for question, answer in asked.answers.items() if not answer.is_authoritative] == []


@only_bind
def test_each_zone_has_its_serial_and_name_server(asked: Asked) -> None:
    for zone in (ZONE, "artifacts.example.net"):
        soa = next(iter(asked[zone, "SOA"].values("SOA"))).split()
        assert soa[:3] == [f"core-rt01.{ZONE}.", f"hostmaster.{ZONE}.", "1"]
    assert asked[ZONE, "NS"].values("NS") == {f"core-rt01.{ZONE}"}


def test_it_answers_over_ipv6(asked: Asked) -> None:
    assert asked.over_ipv6.values("AAAA") == {"2001:db8:30::11"}


def test_the_server_leaves_its_files_alone(asked: Asked) -> None:
    assert asked.running.left_its_files_alone()
