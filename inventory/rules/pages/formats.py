"""Pages of findings about the bootstrap node, and about what single formats can say."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "bootstrap-address-taken": Page(
        title="An address belongs to the bootstrap node while that is the authority.",
        severity="info",
        what=(
            "The bootstrap node takes over the gateway's address in bootstrap mode. In that mode whoever has "
            "the address otherwise has no IPv4 record and no reservation of it, and its services have no name; "
            "dns, dhcp and gateway lead to the bootstrap node."
        ),
        why="A name that led to the address would lead to another machine.",
        todo="Nothing. A machine that must be reached meanwhile needs a second address.",
    ),
    "bootstrap-node-missing": Page(
        title="Nobody is known who could serve in bootstrap mode.",
        severity="warning; error while bootstrap is the declared authority",
        what=(
            "No declaration of authority names a bootstrap node, or the one that is named is retired or has no "
            "IPv4 address. What is made for bootstrap mode has the routers, DNS and boot servers of the gateway."
        ),
        why="When the router is gone, clients would be sent to it.",
        todo="Name a live host with an address as bootstrap node when the authority is declared.",
    ),
    "bootstrap-own-reservation": Page(
        title="The bootstrap node has no reservation while it serves.",
        severity="info",
        what=(
            "An interface of the bootstrap node asks for a reservation. In bootstrap mode it has none, and its "
            "addresses are in no pool."
        ),
        why="A DHCP server that waited for its own lease would never start.",
        todo="Configure the address of that mode on the machine itself.",
    ),
    "format-limit": Page(
        title="A format cannot say what is declared.",
        severity="info; warning where a machine would boot or be named otherwise",
        what=(
            "The format that was asked for has no form for a declared fact, and leaves it out: boot servers in "
            "the CSV of OPNsense and in VyOS 1.4, names longer than 63 characters or called any in VyOS, a host "
            "called localhost in a hosts file, a /8 of pool addresses in ISC dhcpd."
        ),
        why="Other formats of the same site have it, so servers made from different ones differ.",
        todo="Set it on the server by hand, use another format, or change the declaration.",
    ),
    "pxe-unclear": Page(
        title="What a machine boots from the network is declared in a way that no boot file can say.",
        severity="warning",
        what=(
            "A variable mgmtplane_pxe is no mapping of kernel, initrd and args (or local), has a character that "
            "a boot loader would read as its own syntax, holds Jinja, or two interfaces share a MAC and want "
            "different things. There is no boot file for it, or none for the loader that is named."
        ),
        why="A machine that boots the wrong thing may be installed anew.",
        todo="Write paths or URLs in plain characters and arguments without quotes, backslashes and dollar signs.",
    ),
    "scrape-target-unusable": Page(
        title="A service or host asks to be scraped and cannot be.",
        severity="warning",
        what=(
            "A service has a metrics path and no port, a path that is none, or no name in DNS; or a variable "
            "mgmtplane_prometheus has something besides port, path and labels. It is no target."
        ),
        why="Prometheus would refuse the whole list, or call a machine down that nobody could reach.",
        todo="Give it a name, a port and a path such as /metrics.",
    ),
    "ssh-access-unusable": Page(
        title="The way in to a host is declared in a way that ssh cannot follow.",
        severity="warning",
        what=(
            "The access of a host, or a variable mgmtplane_ssh, has a key that is not known, a value that is no "
            "user, port, path or host of the site, or jump hosts that lead in a circle; the jump host of a segment "
            "cannot be reached; or a web page has no way in. That line is left out."
        ),
        why="One bad line makes ssh refuse the whole file, and a circle of jumps never ends.",
        todo="Correct the value; the keys are user, port, identity, jump, forward and known_hosts.",
    ),
}
