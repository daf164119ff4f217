"""Pages of findings about DHCP reservations and network boot."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "pxe-server-is-a-name": Page(
        title="A PXE server is given by name, which UEFI firmware does not read.",
        severity="info",
        what="The boot server of an interface is given by name. That is all that option 66 needs.",
        why=(
            "UEFI firmware reads siaddr, which is an address: it gets the segment's next-server, if there "
            "is one."
        ),
        todo="Write the boot server as an address.",
    ),
    "pxe-unusable": Page(
        title="A boot server or boot file cannot be handed out.",
        severity="warning",
        what=(
            "A boot server is neither the IPv4 address of a machine (0.0.0.0, multicast and broadcast are "
            "none) nor a name; or a boot file is longer than 127 characters, or not plain ASCII without "
            "quotes, commas, backslashes and a # after a blank. The reservation is served without it."
        ),
        why="Some server could not carry it and would refuse its whole configuration.",
        todo="Write the server as an address and the file as a short plain path.",
    ),
    "pxe-without-reservation": Page(
        title="A boot server or boot file without a reservation.",
        severity="warning",
        what="An interface has a boot server or boot file and asks for no reservation.",
        why=(
            "The DHCP server tells a machine what to boot together with its reservation; this one is told "
            "nothing."
        ),
        todo="Switch the reservation on, or remove what it boots from.",
    ),
    "record-without-reservation": Page(
        title="Interfaces have an address record and no reservation.",
        severity="info",
        what=(
            "Interfaces with a fixed address and an address record have no reservation, in a segment that "
            "serves reservations. Told once a segment. Routers, name servers, boot servers, gateways and "
            "the bootstrap node are left out: their addresses belong on themselves."
        ),
        why=(
            "The address stands on the machine alone. A machine that is installed anew gets another "
            "address, or none, and its name leads nowhere."
        ),
        todo="Reserve the addresses; nothing where they are configured on the machines on purpose.",
    ),
    "reservation-forbidden": Page(
        title="A reservation in a segment that takes no static mappings.",
        severity="warning",
        what="An interface asks for a reservation in a segment whose policy is dynamic. It is not served.",
        why=(
            "Such segments are for strangers, guests for example; a fixed machine there is a mistake or a "
            "way in."
        ),
        todo="Move the interface, switch the reservation off, or change the policy of the segment to both.",
    ),
    "reservation-mac-unusable": Page(
        title="A reservation for a MAC that no interface has.",
        severity="error",
        what="The MAC of the interface is a multicast address, all zeros or all ones.",
        why="No network card has such an address, so it was mistyped and nobody would be served.",
        todo="Correct the MAC, or leave it empty until somebody has read it.",
    ),
    "reservation-no-dhcp": Page(
        title="A reservation in a segment without DHCP.",
        severity="warning",
        what="The segment has no IPv4 network, or the policy none: nobody serves DHCP there.",
        why="The machine would wait for an answer that does not come.",
        todo="Switch the reservation off, or give the segment DHCP.",
    ),
    "reservation-on-gateway": Page(
        title="A router gets its own address by DHCP.",
        severity="warning",
        what="A reservation is for the gateway address of its segment. It is rendered as declared.",
        why="A router must come up while the DHCP server is down, most of all when it is the DHCP server.",
        todo="Configure the address on the router itself and switch the reservation off.",
    ),
    "reservation-outside-segment": Page(
        title="A reservation outside its segment's network.",
        severity="error",
        what=(
            "The address to reserve lies outside the network of the interface's own segment. It is not "
            "served."
        ),
        why="Servers such as dhcpd and dnsmasq would accept it and never answer; Kea would not start.",
        todo="Correct the address, or name the segment that the machine is plugged into.",
    ),
    "reservation-repeated": Page(
        title="Two interfaces of one host ask for the same reservation.",
        severity="warning; info when both are the same",
        what=(
            "Two interfaces of one host ask for the same MAC or the same address in one segment, as the "
            "members of a bond do. One is rendered: the primary, else the first by name."
        ),
        why="Servers refuse or ignore the second one.",
        todo="Leave the flag with the interface that really asks (the bond, the bridge).",
    ),
    "reservation-unknown-mac": Page(
        title="A reservation for a MAC that nobody knows yet.",
        severity="warning",
        what="The interface asks for a reservation, and its MAC is unknown.",
        why="No server can know the machine; it gets a pool address, or none.",
        todo="Read the MAC off the machine, its label or the switch's table, and write it down.",
    ),
    "reservation-unusable-address": Page(
        title="A reservation of a network or broadcast address.",
        severity="error",
        what="The address to reserve is the network or broadcast address of its segment.",
        why="No machine can use it.",
        todo="Give the interface another address.",
    ),
    "reservation-without-address": Page(
        title="A reservation without a fixed IPv4 address.",
        severity="warning",
        what="The interface asks for a reservation and gets its address by DHCP, or has none.",
        why="A reservation is the promise of one fixed IPv4 address; there is nothing to promise.",
        todo="Give the interface a static address, or switch the reservation off.",
    ),
    "reservation-without-record": Page(
        title="A reservation without an address record.",
        severity="warning; info when the host has a record on another interface",
        what="An interface has a reservation for a fixed address and no address record.",
        why="The address is known, and no name leads to it: people write the address down in a second place.",
        todo="Switch the address record on, or leave it where nobody shall reach the machine here by name.",
    ),
    "reservation-without-segment": Page(
        title="A reservation in no declared segment.",
        severity="warning; error when the segment is named and not declared",
        what="The interface asks for a reservation and is in no segment, or in one that is not declared.",
        why="A reservation belongs to a subnet, and this one has none.",
        todo="Name the interface's segment.",
    ),
}
