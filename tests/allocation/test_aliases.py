"""Below one root domain a name has one answer, whichever site declares it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from inventory.changes import change
from inventory.models import Alias, Host, Service, Site

pytestmark = pytest.mark.django_db


def declare(slug: str, root: str = "example.net", source: str = "admin") -> Site:
    site = Site(slug=slug, root_domain=root)
    with change(site, by="test", source=source):
        host = Host(site=site, name="pi01")
        host.save()
        service = Service(host=host, name="artifacts")
        service.save()
        Alias(service=service, name="artifacts").save()
    return site


def test_a_second_site_below_the_same_root_is_refused():
    declare("lab")
    with pytest.raises(
        ValidationError, match=r"artifacts\.example\.net is an alias of site lab already; choose another"
    ):
        declare("home")
    assert not Site.objects.filter(slug="home").exists()


def test_another_root_domain_is_another_name():
    declare("lab")
    other = declare("home", "example.org")
    other.root_domain = "example.net"
    with (
        pytest.raises(ValidationError, match="Site lab has aliases of the same names below"),
        change(other, by="test"),
    ):
        other.save()


def test_an_import_keeps_what_is():
    declare("lab")
    declare("home", source="import")
    assert Alias.objects.count() == 2
