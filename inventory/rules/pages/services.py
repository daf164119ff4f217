"""Pages of findings about services: who carries them, and what they survive."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
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
}
