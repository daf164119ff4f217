"""What the search boxes understand: names, addresses, services, notes, and a MAC in any spelling."""

from __future__ import annotations

from django.db.models import Q

from inventory.models import Host
from inventory.querysets import HostQuerySet, host_search, mac_spellings


def hosts_found_by(text: str) -> HostQuerySet:
    """Hosts that *text* names; with several words, each of them."""
    found = _host(text)
    words = text.split()
    if len(words) > 1:
        every = Q()
        for word in words:
            every &= _host(word)
        found |= every
    hosts: HostQuerySet = Host.objects.filter(found).order_by()
    return hosts


def _host(text: str) -> Q:
    return host_search(text) | Q(notes__icontains=text.strip())


def interface_found_by(text: str) -> Q:
    """The condition for interfaces: their own name, MAC, addresses, switch port, or their host's name."""
    wanted = text.strip()
    found = Q(name__icontains=wanted) | Q(host__name__icontains=wanted) | Q(ipv4__icontains=wanted)
    found |= Q(ipv6__icontains=wanted.lower()) | Q(switch_port__icontains=wanted)
    for spelling in mac_spellings(wanted):
        found |= Q(mac__contains=spelling)
    return found


def identity_found_by(text: str) -> Q:
    wanted = text.strip()
    found = Q(value__icontains=wanted) | Q(host_name__icontains=wanted)
    for spelling in mac_spellings(wanted):
        found |= Q(value__contains=spelling)
    return found
