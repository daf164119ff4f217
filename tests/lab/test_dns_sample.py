"""Every name of the sample, asked of real name servers on its exports. Expected is what its YAML says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.components import require
from tests.lab import sample
from tests.lab.dig import Answer, Question, dig
from tests.lab.network import Lab, Plug
from tests.lab.sample import DISPUTED, ZONE
from tests.lab.servers import BIND, DNS_SERVERS, DNSMASQ, Running, Server
from tests.shared_data import require_sample

pytestmark = [pytest.mark.lab, pytest.mark.django_db]

ASKER = Plug("asker", "02:00:00:00:00:99", "management")
ROUTER = "10.20.99.1"

Answers = dict[Question, Answer]


@pytest.fixture(scope="module")
def cards() -> list[sample.Card]:
    return [card for card in sample.cards(require_sample()) if card.a_record]


def cnames(cards: list[sample.Card]) -> dict[str, sample.Card]:
    """Name → the interface of the one host that carries it."""
    return {f"{name}.{ZONE}": card for card in cards for name in card.cnames if name not in DISPUTED}


def pointer(address: str) -> Question:
    return ip_address(address).reverse_pointer, "PTR"


@pytest.fixture(scope="module", params=DNS_SERVERS, ids=lambda server: server.format)
def answers(
    request: pytest.FixtureRequest,
    sample_exports: Path,
    cards: list[sample.Card],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Answers]:
    server: Server = request.param
    server.require()
    require("dig", package="bind9-dnsutils")
    folder = tmp_path_factory.mktemp("lab")
    names = [*(card.fqdn for card in cards), *cnames(cards), *(f"{n}.{ZONE}" for n in (*DISPUTED, "nobody"))]
    questions = [(name, kind) for name in names for kind in ("A", "CNAME")]
    questions += [pointer(card.address) for card in cards] + [pointer("10.20.99.200")]
    lab = Lab()
    try:
        lab.build(sample.wires(require_sample()), [ASKER])
        lab.run(["ip", "addr", "add", "10.20.99.250/24", "dev", "eth0"], ASKER.name)
        Running(server, lab, shutil.copytree(sample_exports / server.format, folder / server.format))
        yield dig(lab, ASKER.name, ROUTER, questions, folder)
    finally:
        lab.close()


def test_every_host_resolves_both_ways(answers: Answers, cards: list[sample.Card]) -> None:
    assert len(cards) == 16
    for card in cards:
        assert answers[card.fqdn, "A"].values("A") == {card.address}
        assert answers[pointer(card.address)].values("PTR") == {card.fqdn}


def test_every_service_leads_to_its_host(answers: Answers, cards: list[sample.Card]) -> None:
    carried = cnames(cards)
    assert sorted(name.removesuffix(f".{ZONE}") for name in carried) == [
        "artifacts",
        "bellgw",
        "mabell",
        "pve",
        "pve2",
        "pxe",
        "sdr",
    ]
    for name, card in carried.items():
        assert answers[name, "A"].values("A") == {card.address}, name


@pytest.mark.parametrize("answers", [BIND, DNSMASQ], indirect=True, ids=lambda server: server.format)
def test_every_service_is_a_cname_of_its_host(answers: Answers, cards: list[sample.Card]) -> None:
    for name, card in cnames(cards).items():
        assert answers[name, "CNAME"].values("CNAME") == {card.fqdn}


@pytest.mark.parametrize("answers", [BIND], indirect=True, ids=["bind"])
def test_every_answer_is_authoritative(answers: Answers) -> None:
    assert [question for question, answer in answers.items() if not answer.is_authoritative] == []


def test_what_both_routers_claim_does_not_exist(answers: Answers) -> None:
    for name in (*DISPUTED, "nobody"):
        assert answers[f"{name}.{ZONE}", "A"].status == "NXDOMAIN", name
    assert answers[pointer("10.20.99.200")].status == "NXDOMAIN"
