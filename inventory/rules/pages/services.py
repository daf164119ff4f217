"""Pages of findings about services: who carries them, and what they survive."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "gateway-on-vm": Page(
        title="A virtual machine holds a segment's gateway address.",
        severity="warning",
        what="The gateway of a segment is an address of a virtual machine.",
        why=(
            "While its hypervisor is down, nobody leaves the segment: neither who repairs the hypervisor "
            "nor what it needs to start."
        ),
        todo="Move the gateway's address to the router.",
    ),
    "service-on-vm": Page(
        title="A service that the router should carry is on a virtual machine.",
        severity="warning",
        what="A service named dns, dhcp or gateway is carried by a virtual machine.",
        why=(
            "It must work while every hypervisor is down, most of all while the hypervisors come up again "
            "and need it."
        ),
        todo="Move it to the router, or to another machine that starts on its own.",
    ),
    "services-share-host": Page(
        title="Services on one host fail together.",
        severity="info",
        what=(
            "A host carries several services. What a router is there for (DNS, DHCP, gateway) is not counted."
        ),
        why="Names move freely, so that it is easy to forget that two of them are one machine.",
        todo="Nothing if that is meant; else move one to another host.",
    ),
    "services-share-hypervisor": Page(
        title="Services on machines of one hypervisor fail together.",
        severity="info",
        what="Several machines on one hypervisor carry services.",
        why="They look independent, and go down with one machine.",
        todo="Nothing if that is meant; else run one of the machines on another hypervisor.",
    ),
}
