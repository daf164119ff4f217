"""The whole way back, from the kit alone: see ``the_drill.py``, which a person runs for the times."""

from __future__ import annotations

import pytest

from tests.components import require, require_namespaces
from tests.lab.servers import DNSMASQ
from tests.recovery import the_drill

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def needed() -> None:
    require_namespaces()
    DNSMASQ.require()
    require("dhclient", package="isc-dhcp-client")
    require("dig", package="bind9-dnsutils")
    require("curl", package="curl")


def test_leases_names_and_the_application_come_back_from_the_kit_alone(needed, tmp_path):
    assert the_drill.judged(the_drill.TheDrill(tmp_path).run()) == []


@pytest.mark.slow
@pytest.mark.whole
def test_the_same_from_the_wheels_in_the_kit_with_everything_under_one_supervisor(needed, tmp_path):
    assert the_drill.judged(the_drill.TheDrill(tmp_path, wheels=True, up=True).run()) == []
