"""A site with a row of every noun, and a person."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User

from inventory.changes import change
from inventory.models import (
    Alias,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
)


@pytest.fixture
def site() -> Site:
    """Site lab: hosts alpha (one interface, one service with an alias) and beta, group web with alpha, in all_web.

    alpha is a hypervisor with an API, beta a machine with a specification; what the rules say of its address is lowered.
    """
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        segment = Segment(site=lab, name="management", network4="192.0.2.0/24")
        segment.save()
        role = Role(site=lab, slug="web")
        role.save()
        alpha, beta = (
            Host(site=lab, name="alpha", role=role, form="hv"),
            Host(site=lab, name="beta", form="vm"),
        )
        alpha.save()
        beta.save()
        interface = Interface(
            host=alpha, name="eth0", segment=segment, addressing="static", ipv4="192.0.2.10"
        )
        interface.save()
        service = Service(host=alpha, name="www")
        service.save()
        Alias(service=service, name="www").save()
        Hypervisor(host=alpha, node="alpha").save()
        VirtualMachine(host=beta).save()
        HostNeed(host=alpha, needed=beta).save()
        SeverityOverride(
            site=lab,
            finding="address-in-pool",
            severity="info",
            why="until it is moved",
            expires=date(2999, 1, 1),
        ).save()
        EmergencyUse(site=lab, who="grace", why="The router was gone.").save()
        Schedule(site=lab, name="hourly", kind="survey", every_hours=1, why="VMIDs").save()
        KitPlace(site=lab, name="stick", kind="mount", location="/media/stick").save()
        project = Project(site=lab, name="playbooks", location="/srv/playbooks")
        project.save()
        JobTemplate(site=lab, name="base", project=project, playbook="base.yml").save()
        web, all_web = Group(site=lab, name="web"), Group(site=lab, name="all_web")
        web.save()
        all_web.save()
        Membership(group=web, host=alpha).save()
        Nesting(parent=all_web, child=web).save()
    return lab


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")
