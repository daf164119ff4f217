"""Every other noun in the browser: listed, added, changed, deleted; once through the door each time."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import (
    Alias,
    Authority,
    Group,
    Host,
    Identity,
    Interface,
    Membership,
    Nesting,
    Role,
    Segment,
    Service,
    Site,
    Token,
    WorkloadProfile,
)
from tests.admin.pages import errors_of, latest_change, new_inline, send, shown, url

pytestmark = pytest.mark.django_db

DECLARED = [
    "site",
    "segment",
    "host",
    "interface",
    "service",
    "alias",
    "role",
    "group",
    "workloadprofile",
    "severityoverride",
    "emergencyuse",
    "schedule",
    "project",
    "jobtemplate",
    "kitplace",
]
LISTS = [*DECLARED, "authority", "identity", "change", "token"]


def revision(site: Site) -> int:
    return Site.objects.get(pk=site.pk).revision


@pytest.mark.parametrize("noun", LISTS)
def test_every_noun_has_a_list_that_can_be_searched(browser, host, noun):
    assert browser.get(url(noun)).status_code == 200
    assert browser.get(url(noun), {"q": "pi"}).status_code == 200


@pytest.mark.parametrize("noun", [*DECLARED, "authority", "token"])
def test_every_noun_has_a_page_to_add_one(browser, host, noun):
    page = browser.get(url(noun, "add"))
    assert page.status_code == 200
    assert "adminform" in page.context


def test_a_new_site_is_its_own_first_change(browser):
    data = shown(browser, url("site", "add")) | {"slug": "lab", "root_domain": "example.net", "why": "begin"}
    send(browser, url("site", "add"), data)
    site = Site.objects.get()
    assert site.revision == 1
    assert (latest_change().by_name, latest_change().why) == ("ada", "begin")
    assert site.history.get().change == latest_change()


def test_a_wrong_new_site_says_so_beside_the_field(browser, site):
    data = shown(browser, url("site", "add")) | {"slug": "Lab", "root_domain": "-x-"}
    assert set(errors_of(browser.post(url("site", "add"), data))) == {"slug", "root_domain"}
    data["slug"], data["root_domain"] = "lab", "example.net"
    assert errors_of(browser.post(url("site", "add"), data)) == {
        "slug": ["There is already a site of this name; choose another or open that one."]
    }


@pytest.mark.parametrize("noun", ["site", "segment", "host", "interface", "service", "role", "group"])
def test_an_untouched_page_of_any_noun_saves_without_a_change(browser, site, segment, host, role, noun):
    row = {
        "site": site,
        "segment": segment,
        "host": host,
        "interface": host.interfaces.get(),
        "service": host.services.get(),
        "role": role,
        "group": host.groups.get(),
    }[noun]
    before = revision(site)
    send(
        browser,
        url(noun, "change", row.pk),
        shown(browser, url(noun, "change", row.pk)) | {"why": "no reason"},
    )
    assert revision(site) == before


def test_a_site_changes_once_and_keeps_its_revision(browser, site):
    data = shown(browser, url("site", "change", site.pk)) | {"variables": "ntp: 192.0.2.1\n"}
    send(browser, url("site", "change", site.pk), data)
    assert (revision(site), Site.objects.get().variables) == (2, {"ntp": "192.0.2.1"})


def test_deleting_a_site_takes_everything_with_it(browser, site, host, role):
    send(browser, url("site", "delete", site.pk), {"post": "yes", "why": "sold"})
    assert not Site.objects.exists() and not Host.objects.exists() and not Identity.objects.exists()
    assert latest_change().site_slug == "lab"


def test_a_segment_with_lists_and_ranges(browser, site):
    before = revision(site)
    data = shown(browser, url("segment", "add")) | {
        "name": "iot",
        "network4": "192.0.2.128/26",
        "gateway4": "192.0.2.129",
        "dns_servers": "192.0.2.1, 192.0.2.2\r\n2001:db8::1",
        "search_domains": "lab.example.net",
        "delegated": "192.0.2.140 - 192.0.2.149\n",
    }
    send(browser, url("segment", "add"), data)
    row = Segment.objects.get(name="iot")
    assert row.dns_servers == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert row.delegated == [["192.0.2.140", "192.0.2.149"]]
    assert revision(site) == before + 1
    data = shown(browser, url("segment", "change", row.pk)) | {
        "dns_servers": "192.0.2.1, nonsense",
        "delegated": "x",
    }
    assert errors_of(browser.post(url("segment", "change", row.pk), data)) == {
        "dns_servers": ["“nonsense” is not an IP address; write one such as 10.20.99.97 or fd00::1."],
        "delegated": ["“x” is not a range; write both ends, such as 10.20.99.60 - 10.20.99.69."],
    }
    data = shown(browser, url("segment", "change", row.pk)) | {"pool_first": "192.0.2.150"}
    assert errors_of(browser.post(url("segment", "change", row.pk), data)) == {
        "__all__": ["Give both ends of the pool, or neither."]
    }


def test_a_segment_in_use_is_not_deleted(browser, segment, host):
    page = browser.post(url("segment", "delete", segment.pk), {"post": "yes", "why": "unused?"})
    assert b"would require deleting the following protected related objects" in page.content
    assert Segment.objects.exists()


def test_an_interface_is_edited_on_its_own_page(browser, site, host):
    row = host.interfaces.get()
    before = revision(site)
    data = shown(browser, url("interface", "change", row.pk)) | {
        "ipv6": "2001:db8::10",
        "mac": "BC-24-11-CE-51-ED",
    }
    assert errors_of(browser.post(url("interface", "change", row.pk), data)) == {
        "ipv6": ["Segment management has no IPv6 network; declare one or choose another segment."]
    }
    send(browser, url("interface", "change", row.pk), data | {"ipv6": ""})
    row.refresh_from_db()
    assert (row.mac, revision(site)) == ("bc:24:11:ce:51:ed", before + 1)
    data = shown(browser, url("interface", "change", row.pk))
    send(browser, url("interface", "change", row.pk), data | {"ipv6": "", "mac": "UNKNOWN"})
    assert Interface.objects.get(pk=row.pk).mac is None


def test_a_bad_mac_is_an_error_beside_the_field(browser, host):
    row = host.interfaces.get()
    data = shown(browser, url("interface", "change", row.pk))
    for text, said in [("bc:24", "is not a MAC address"), ("01:00:5e:00:00:01", "is a multicast address")]:
        problems = errors_of(browser.post(url("interface", "change", row.pk), data | {"mac": text}))
        assert said in problems["mac"][0]


def test_a_service_moves_to_another_host_in_one_change(browser, site, host):
    with change(site, by="test"):
        other = Host(site=site, name="pi02")
        other.save()
    service = host.services.get()
    before = revision(site)
    data = shown(browser, url("service", "change", service.pk)) | {"host": other.pk, "why": "pi01 is slow"}
    send(browser, url("service", "change", service.pk), data)
    service.refresh_from_db()
    assert (service.host, revision(site)) == (other, before + 1)
    assert Identity.objects.get(value="artifacts", state="held").host == other


def test_a_service_with_an_alias(browser, site, host):
    before = revision(site)
    data = shown(browser, url("service", "add")) | {
        "name": "dns",
        "host": host.pk,
        **new_inline("aliases", 0, name="resolver"),
    }
    send(browser, url("service", "add"), data)
    assert Alias.objects.get().service.name == "dns"
    assert revision(site) == before + 1
    data = shown(browser, url("alias", "add")) | {
        "name": "resolver",
        "service": host.services.get(name="dns").pk,
    }
    assert errors_of(browser.post(url("alias", "add"), data)) == {
        "__all__": ["The site declares this alias already."]
    }


def test_a_group_with_hosts_and_parents(browser, site, host):
    parent = host.groups.get()
    before = revision(site)
    data = shown(browser, url("group", "add")) | {
        "name": "dns_servers",
        "members": [host.pk],
        "parents_above": [parent.pk],
        "variables": "a: 1",
    }
    send(browser, url("group", "add"), data)
    group = Group.objects.get(name="dns_servers")
    assert Membership.objects.get(group=group).host == host
    assert Nesting.objects.get(child=group).parent == parent
    assert revision(site) == before + 1
    data = shown(browser, url("group", "change", parent.pk)) | {"parents_above": [group.pk]}
    assert errors_of(browser.post(url("group", "change", parent.pk), data)) == {
        "__all__": ["dns_servers already lies below pis; groups form no circle."]
    }
    send(browser, url("group", "delete", group.pk), {"post": "yes", "why": "unused"})
    assert revision(site) == before + 2


def test_a_profile_and_a_group_do_not_share_what_ansible_calls_them(browser, site):
    with change(site, by="test"):
        WorkloadProfile(site=site, name="ci").save()
        Group(site=site, name="profile_web").save()
    for noun, name in (("group", "profile_ci"), ("workloadprofile", "web")):
        page = url(noun, "add")
        problems = errors_of(browser.post(page, shown(browser, page) | {"name": name}))
        assert "Ansible would see under the same name" in problems["name"][0]


def test_a_profile_is_parked_until_somebody_has_it(browser, site, host):
    data = shown(browser, url("workloadprofile", "add")) | {"name": "web", "variables": "port: 80"}
    send(browser, url("workloadprofile", "add"), data)
    profile = WorkloadProfile.objects.get()
    assert b"parked" in browser.get(url("workloadprofile")).content
    data = shown(browser, url("host", "change", host.pk)) | {"in_profiles": [profile.pk]}
    send(browser, url("host", "change", host.pk), data)
    assert b"parked" not in browser.get(url("workloadprofile")).content
    assert host.groups.count() == 2
    assert profile.history.count() == 1


def test_authority_is_declared_with_a_reason_and_never_edited(browser, site, host):
    data = shown(browser, url("authority", "add")) | {"mode": "gateway", "why": ""}
    assert errors_of(browser.post(url("authority", "add"), data)) == {"why": ["This field is required."]}
    before = revision(site)
    send(browser, url("authority", "add"), data | {"why": "the router serves"})
    row = Authority.objects.get()
    assert (row.by.username, row.by_name, row.why) == ("ada", "ada", "the router serves")
    assert (revision(site), latest_change().why) == (before + 1, "the router serves")
    assert browser.get(url("authority", "change", row.pk)).status_code == 200
    assert browser.post(url("authority", "change", row.pk), data).status_code == 403
    assert browser.post(url("authority", "delete", row.pk), {"post": "yes", "why": "x"}).status_code == 403


def test_ledger_and_log_are_read_only(browser, host):
    identity = Identity.objects.first()
    for noun, row in [("identity", identity), ("change", latest_change())]:
        assert browser.get(url(noun, "change", row.pk)).status_code == 200
        assert browser.post(url(noun, "change", row.pk), {}).status_code == 403
        assert browser.get(url(noun, "add")).status_code == 403
        assert browser.post(url(noun, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_tokens_secret_is_shown_once_and_not_kept(browser, site):
    data = {"name": "router", "site": site.pk, "formats": ["kea"], "scope": "read"}
    page = browser.post(url("token", "add"), data)
    secret = page.context["secret"]
    assert secret in page.content.decode()
    token = Token.objects.get()
    assert token.digest == Token.digest_of(secret)
    assert (token.site, token.formats) == (site, ["kea"])
    for later in (url("token"), url("token", "change", token.pk)):
        assert secret not in browser.get(later).content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    send(browser, url("token", "delete", token.pk), {"post": "yes"})


def test_choices_are_of_the_same_site(browser, site, segment, host):
    other = Site(slug="home")
    with change(other, by="test"):
        pass
    with change(other, by="test"):
        Host(site=other, name="sw01").save()
        Segment(site=other, name="attic").save()
    assert browser.get(url("host", "add")).context["sites"].count() == 2
    page = browser.get(url("host", "add"), {"site": site.pk}).content.decode()
    assert "management" in page and "attic" not in page
    found = browser.get(
        reverse("admin:autocomplete"),
        {
            "app_label": "inventory",
            "model_name": "interface",
            "field_name": "switch",
            "term": "0",
            "site": site.pk,
        },
    ).json()["results"]
    assert [one["text"] for one in found] == ["pi01"]
    data = shown(browser, url("service", "change", host.services.get().pk)) | {
        "host": Host.objects.get(name="sw01").pk
    }
    assert "host" in errors_of(browser.post(url("service", "change", host.services.get().pk), data))


@pytest.fixture
def clerk(db) -> User:
    return User.objects.create_user("carl", password="another password", is_staff=True)


@pytest.fixture
def clerks_browser(clerk) -> Client:
    client = Client()
    client.force_login(clerk)
    return client


@pytest.mark.parametrize("noun", LISTS)
def test_staff_without_permissions_sees_nothing(clerks_browser, host, noun):
    assert clerks_browser.get(url(noun)).status_code == 403
    assert clerks_browser.get(url(noun, "add")).status_code == 403


def test_who_may_only_look_cannot_write(clerk, clerks_browser, host):
    clerk.user_permissions.add(Permission.objects.get(codename="view_host"))
    assert clerks_browser.get(url("host")).status_code == 200
    page = url("host", "change", host.pk)
    assert clerks_browser.get(page).status_code == 200
    assert clerks_browser.get(url("host", "history", host.pk)).status_code == 200
    assert clerks_browser.post(page, {"name": "mine"}).status_code == 403
    assert clerks_browser.get(page.replace("change/", "retire/")).status_code == 403
    chosen = {"action": "retire", "_selected_action": [host.pk], "confirmed": "1", "why": "because"}
    clerks_browser.post(url("host"), chosen)
    host.refresh_from_db()
    assert host.status == "active"


def test_who_may_change_hosts_but_not_interfaces_leaves_them_alone(clerk, clerks_browser, site, host):
    codes = ["view_host", "change_host", "view_interface"]
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    page = url("host", "change", host.pk)
    data = shown(clerks_browser, page) | {"location": "shelf", "interfaces-0-mac": "02:00:00:00:00:01"}
    send(clerks_browser, page, data)
    host.refresh_from_db()
    assert host.location == "shelf"
    assert host.interfaces.get().mac == "bc:24:11:ce:51:ec"


def test_strangers_are_sent_to_the_sign_in_page(client, host):
    assert client.get(url("host")).headers["Location"].startswith("/admin/login/")


def test_roles_code_names_one_role(browser, site, role):
    before = revision(site)
    send(
        browser,
        url("role", "change", role.pk),
        shown(browser, url("role", "change", role.pk)) | {"code": "10"},
    )
    data = shown(browser, url("role", "add")) | {"slug": "dns", "code": "10"}
    assert errors_of(browser.post(url("role", "add"), data)) == {
        "__all__": ["Another role of the site has this RR code; a code names one role."]
    }
    assert (revision(site), Role.objects.count()) == (before + 1, 1)


def test_a_service_name_of_another_host_is_refused_beside_the_field(browser, site, host):
    with change(site, by="test"):
        other = Host(site=site, name="pi02")
        other.save()
    data = shown(browser, url("service", "add")) | {"name": "artifacts", "host": other.pk}
    assert errors_of(browser.post(url("service", "add"), data)) == {
        "name": ["artifacts belongs to pi01; choose another, or change it there first."]
    }
    assert Service.objects.count() == 1


def test_an_identity_is_freed_from_quarantine_with_a_reason(browser, site, host):
    with change(site, by="test", why="gone"):
        host.status = "retired"
        host.save()
    row = Identity.objects.get(value="192.0.2.10")
    before = revision(site)
    chosen = {"action": "free", "_selected_action": [row.pk]}
    asked = browser.post(url("identity"), chosen | {"index": 0})
    assert b"last pi01" in asked.content
    send(browser, url("identity"), chosen | {"confirmed": "1", "why": "the card was destroyed"})
    row.refresh_from_db()
    assert (row.state, revision(site)) == ("released", before + 1)
    assert latest_change().why == "the card was destroyed"


def test_the_log_tells_what_a_change_wrote_in_a_constant_number_of_queries(browser, site, segment, host):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(url("change", "change", latest_change().pk)).status_code == 200
        return len(seen)

    def write(first: int, last: int) -> None:
        with change(site, by="test", why="many"):
            for n in range(first, last):
                row = Host(site=site, name=f"vm{n:02}")
                row.save()
                Interface(host=row, name="eth0", segment=segment).save()

    write(0, 3)
    queries()
    few = queries()
    assert few < 48  # told once, however often the template asks
    write(3, 30)
    assert queries() == few


def test_the_log_names_what_a_row_referred_to(browser, site, segment, host):
    row = host.interfaces.get()
    with change(site, by="test", why="unplugged"):
        row.segment, row.addressing, row.ipv4 = None, "none", None
        row.save()
    page = browser.get(url("change", "change", latest_change().pk)).content.decode()
    assert "pi01/eth0" in page and "changed" in page
    assert '<del class="mp-old">management</del>' in page


def test_a_secret_that_is_not_sealed_is_no_vault_value(browser, site):
    before = revision(site)
    data = shown(browser, url("site", "change", site.pk)) | {"variables": "password: !vault open sesame\n"}
    answer = browser.post(url("site", "change", site.pk), data)
    assert "is not ciphertext" in answer.content.decode()
    assert "sesame" not in str(Site.objects.get().variables)
    assert revision(site) == before


def test_a_selection_that_cannot_be_is_answered(browser, host):
    data = {"action": "retire", "_selected_action": "abc"}
    answer = browser.post(url("host"), data, follow=True)
    assert answer.status_code == 200 and "cannot be" in answer.content.decode()
