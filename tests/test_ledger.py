"""Identities: who holds a MAC, an address or a name, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from inventory import quarantine, reading
from inventory.changes import change
from inventory.door import bulk_allowed
from inventory.models import Host, Identity, Interface, Segment, Site

pytestmark = pytest.mark.django_db

MAC, ADDRESS = "02:00:5e:00:53:01", "192.0.2.10"


@pytest.fixture
def site() -> Site:
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        Segment(site=lab, name="management", network4="192.0.2.0/24").save()
    return lab


def declare(site: Site, name: str, *, source: str = "admin", status: str = "active", **fields: Any) -> Host:
    """A host with one interface, which by default has MAC and ADDRESS."""
    fields = {"mac": MAC, "addressing": "static", "ipv4": ADDRESS, **fields}
    host = Host(site=site, name=name, status=status)
    with change(site, why=f"declare {name}", source=source):
        host.save()
        Interface(host=host, name="eth0", segment=Segment.objects.get(site=site), **fields).save()
    return host


def retire(host: Host) -> None:
    with change(host.site, why="retire"):
        host.status = "retired"
        host.save()


def revive(host: Host, *, source: str = "admin") -> None:
    with change(host.site, why="back", source=source):
        host.status = "active"
        host.save()


def states(kind: str = "ip", value: str = ADDRESS) -> list[tuple[str, str]]:
    """(state, host) of every row about one identity that is not released."""
    rows = Identity.objects.active().filter(kind=kind, value=value)
    return sorted(rows.values_list("state", "host_name"))


def expire() -> None:
    with bulk_allowed():
        Identity.objects.filter(state="quarantined").update(until=timezone.now() - timedelta(seconds=1))


def test_what_a_host_claims_it_holds(site: Site) -> None:
    declare(site, "alpha")
    held = set(Identity.objects.filter(state="held").values_list("kind", "value", "host_name"))
    assert held == {("mac", MAC, "alpha"), ("ip", ADDRESS, "alpha"), ("name", "alpha", "alpha")}


def test_what_a_retired_host_held_is_withheld_and_comes_back_to_it(site: Site, settings: Any) -> None:
    settings.QUARANTINE_DAYS = 90
    alpha = declare(site, "alpha")
    retire(alpha)
    assert states() == states("mac", MAC) == states("name", "alpha") == [("quarantined", "alpha")]
    until = Identity.objects.get(kind="ip", state="quarantined").until
    assert until is not None
    assert timedelta(days=89) < until - timezone.now() < timedelta(days=91)
    revive(alpha)
    assert states() == states("mac", MAC) == [("held", "alpha")]
    assert Identity.objects.get(kind="ip", state="held").until is None


def test_nobody_else_gets_what_is_withheld_until_it_is_free(site: Site) -> None:
    retire(declare(site, "alpha"))
    with pytest.raises(ValidationError) as caught:
        declare(site, "beta")
    message = " ".join(caught.value.messages)
    assert f"{ADDRESS} was alpha's and is in quarantine until" in message
    assert MAC in message, "every problem at once"
    expire()
    declare(site, "beta")
    assert states() == [("held", "beta")]


def test_an_ended_quarantine_frees_and_counts_as_one_change(site: Site) -> None:
    retire(declare(site, "alpha"))
    assert quarantine.release_expired() == 0
    expire()
    revision = Site.objects.get().revision
    assert len(reading.load("lab").identities) == 3
    assert quarantine.release_expired() == 3
    assert quarantine.release_expired() == 0
    assert Site.objects.get().revision == revision + 1
    assert reading.load("lab").identities == ()


def test_a_person_is_refused_what_another_holds(site: Site) -> None:
    declare(site, "alpha")
    with pytest.raises(ValidationError) as caught:
        declare(site, "beta")
    assert (
        f"{ADDRESS} belongs to alpha; give beta another, or change it there first." in caught.value.messages
    )
    assert not Host.objects.filter(name="beta").exists()
    assert states() == [("held", "alpha")]


def test_an_import_is_stored_as_disputed(site: Site) -> None:
    declare(site, "alpha", source="import")
    declare(site, "beta", source="import")
    assert states() == states("mac", MAC) == [("disputed", "beta"), ("held", "alpha")]
    assert reading.load("lab").is_disputed("ip", ADDRESS)


def test_the_one_who_waited_takes_over(site: Site) -> None:
    alpha = declare(site, "alpha", source="import")
    for name in ("zulu", "beta"):
        declare(site, name, source="import")
    retire(alpha)
    assert states() == [("disputed", "beta"), ("held", "zulu")], "the first to come, whatever its name"
    assert states("name", "alpha") == [("quarantined", "alpha")], "nobody waited for that"
    revive(alpha, source="import")
    assert ("disputed", "alpha") in states()


def test_a_disputant_that_gives_up_leaves_the_holder_alone(site: Site) -> None:
    declare(site, "alpha", source="import")
    retire(declare(site, "beta", source="import"))
    assert states() == [("held", "alpha")]
    assert not reading.load("lab").is_disputed("ip", ADDRESS)


@pytest.mark.parametrize("bystanders", [0, 600], ids=["few", "many"])
def test_what_a_deleted_host_held_is_withheld(site: Site, bystanders: int) -> None:
    alpha = declare(site, "alpha")
    with change(site, why="gone"):
        alpha.delete()
    assert states() == states("mac", MAC) == [("quarantined", "alpha")]
    with pytest.raises(ValidationError, match="in quarantine"):
        declare(site, "beta")


def test_a_deleted_disputant_and_a_deleted_holder(site: Site) -> None:
    alpha, beta = (declare(site, name, source="import") for name in ("alpha", "beta"))
    with change(site, why="gone"):
        beta.delete()
    assert states() == [("held", "alpha")]
    declare(site, "gamma", source="import")
    with change(site, why="gone"):
        alpha.delete()
    assert states() == [("held", "gamma")]


def test_deleting_an_interface_gives_up_what_it_carried(site: Site) -> None:
    declare(site, "alpha")
    with change(site, why="card removed"):
        Interface.objects.get().delete()
    assert states() == states("mac", MAC) == [("quarantined", "alpha")]
    assert states("name", "alpha") == [("held", "alpha")]


def test_another_address_quarantines_the_old_one(site: Site) -> None:
    declare(site, "alpha")
    interface = Interface.objects.get()
    interface.ipv4 = "192.0.2.11"
    with change(site, why="moved"):
        interface.save()
    assert (states(), states("ip", "192.0.2.11")) == ([("quarantined", "alpha")], [("held", "alpha")])


def test_interfaces_of_one_host_share_without_contest(site: Site) -> None:
    alpha = declare(site, "alpha")
    with change(site, why="bridge"):
        Interface(host=alpha, name="br0", mac=MAC).save()
    assert states("mac", MAC) == [("held", "alpha")]


def test_an_interface_that_moves_takes_its_identity_along(site: Site) -> None:
    declare(site, "alpha")
    beta = declare(site, "beta", mac="02:00:5e:00:53:02", ipv4="192.0.2.20")
    with change(site, why="moved", source="import"):
        interface = Interface.objects.get(mac=MAC)
        interface.host, interface.name = beta, "eth1"
        interface.save()
    assert reading.load("lab").claimants == {}
    assert not any(state == "disputed" for state, _ in states() + states("mac", MAC))


def test_swapping_two_addresses_in_one_change(site: Site) -> None:
    declare(site, "alpha", source="import")
    declare(site, "beta", source="import", mac="02:00:5e:00:53:02", ipv4="192.0.2.20")
    with change(site, why="swap", source="import") as the_change:
        first, second = Interface.objects.order_by("ipv4")
        first.ipv4, second.ipv4 = second.ipv4, first.ipv4
        the_change.update([first, second], ["ipv4"])
    assert states() == [("held", "beta")]
    assert states("ip", "192.0.2.20") == [("held", "alpha")]


def test_a_site_knows_nothing_of_another(site: Site) -> None:
    declare(site, "alpha")
    other = Site(slug="other")
    with change(other, why="made"):
        Segment(site=other, name="management", network4="192.0.2.0/24").save()
    declare(other, "alpha")
    assert states() == [("held", "alpha"), ("held", "alpha")]


def test_many_hosts_settle_as_few_do(site: Site) -> None:
    hosts = [Host(site=site, name=f"h{number:04}") for number in range(600)]
    with change(site, why="import", source="import") as the_change:
        the_change.create(hosts)
        the_change.create(
            [
                Interface(host=host, name="eth0", mac=f"02:00:5e:10:{n // 256:02x}:{n % 256:02x}")
                for n, host in enumerate(hosts)
            ]
        )
    assert Identity.objects.filter(state="held").count() == 1200
    with change(site, why="gone", source="import") as the_change:
        the_change.delete(Host.objects.filter(site=site))
    assert Identity.objects.filter(state="quarantined").count() == 1200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("source", ["admin", "import"])
def test_two_who_claim_at_once_do_not_both_get_it(site: Site, source: str) -> None:
    barrier = threading.Barrier(2)
    refused: list[str] = []
    failures: list[BaseException] = []

    def claim(name: str) -> None:
        try:
            mine = Site.objects.get(slug="lab")
            barrier.wait(10)
            declare(mine, name, source=source)
        except ValidationError as error:
            refused.extend(error.messages)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    _together(lambda: claim("alpha"), lambda: claim("beta"))
    assert not failures
    held = [host for state, host in states() if state == "held"]
    assert len(held) == 1
    if source == "import":
        assert sorted(state for state, _ in states()) == ["disputed", "held"]
    else:
        assert any(f"belongs to {held[0]}" in message for message in refused)
        assert Host.objects.count() == 1
    assert Site.objects.get().revision == (3 if source == "import" else 2)


def _together(*work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_the_constraint_refuses_what_the_ledger_would_miss(site: Site) -> None:
    """The last word: two held rows of one value cannot be, whoever writes them."""
    from django.db import IntegrityError, transaction

    alpha = declare(site, "alpha")
    twin = Identity(site=site, kind="ip", value=ADDRESS, state="held", host=alpha, host_name="twin")
    with pytest.raises(IntegrityError), transaction.atomic(), bulk_allowed():
        Identity.objects.bulk_create([twin])


# --- who comes after a quarantine ---


@pytest.fixture
def withheld(site: Site) -> tuple[Host, Host]:
    """What alpha left is in quarantine, and an import says that beta has it."""
    alpha = declare(site, "alpha")
    retire(alpha)
    beta = declare(site, "beta", source="import")
    assert states() == [("disputed", "beta"), ("quarantined", "alpha")]
    return alpha, beta


def free_all() -> None:
    quarantine.free(list(Identity.objects.filter(state="quarantined")), by="ada", why="seen", source="admin")


def sweep() -> None:
    expire()
    quarantine.release_expired()


def edit_the_disputant() -> None:
    expire()
    beta = Host.objects.get(name="beta")
    with change(beta.site, by="ada"):
        beta.notes = "in the rack"
        beta.save()


@pytest.mark.parametrize("ending", [free_all, sweep, edit_the_disputant])
def test_when_a_quarantine_ends_the_one_who_waited_holds(
    withheld: tuple[Host, Host], ending: Callable[[], None]
) -> None:
    ending()
    assert states() == states("mac", MAC) == [("held", "beta")]


def test_a_person_does_not_bring_back_a_host_whose_identity_is_claimed_by_now(
    withheld: tuple[Host, Host],
) -> None:
    alpha, _ = withheld
    with pytest.raises(ValidationError, match="belongs to beta"):
        revive(alpha)
    revive(alpha, source="import")
    assert states() == [("disputed", "beta"), ("held", "alpha")]


def test_a_renamed_host_is_told_by_the_name_it_has_now(site: Site) -> None:
    alpha = declare(site, "alpha")
    with change(site, by="ada"):
        alpha.name = "omega"
        alpha.save()
    assert states() == [("held", "omega")]
    assert states("name", "alpha") == [("quarantined", "omega")]
    with pytest.raises(ValidationError, match="belongs to omega"):
        declare(site, "beta")
