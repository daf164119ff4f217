"""Pages of findings about names, records and zones."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "a-record-without-address": Page(
        title="An interface asks for an A record and has no fixed address.",
        severity="warning",
        what="The interface asks for an A record and gets its address by DHCP, or has none.",
        why="There is nothing that the name could lead to.",
        todo="Give the interface a static address, or switch the record off.",
    ),
    "alias-dangles": Page(
        title="An alias points at a service that nobody, or more than one host, carries.",
        severity="error",
        what=(
            "The alias points at a service that no host of the site carries, that two hosts claim, or whose"
            " host has no address. It has no zone."
        ),
        why="Whoever uses the name gets no answer.",
        todo="Point it at a service of this site, and give that service's host an address record.",
    ),
    "alias-unusable": Page(
        title="An alias has no name of its own below the root domain.",
        severity="error",
        what="The alias would be the site's own zone, lie inside it, be given twice, or have no form in DNS.",
        why=(
            "An alias is a zone of its own beside the site's. Inside the site it would hide the site's own "
            "records."
        ),
        todo="Choose another name; a name inside the site is a service.",
    ),
    "cname-dangles": Page(
        title="A service's host has no address record under its own name.",
        severity="error",
        what=(
            "The host that carries the service has no address record under its own name. The service has no"
            " CNAME."
        ),
        why="The CNAME would point at nothing.",
        todo="Give the host's primary interface an address and an A record, or move the service.",
    ),
    "cname-loop": Page(
        title="Service names lead to each other and to no address.",
        severity="error",
        what=(
            "A service is on a host that has no address record but the name of a service on another host, "
            "and so on until the first one comes again."
        ),
        why="Whoever asks for one of the names is sent round and gets no address.",
        todo=(
            "Give one of the hosts an address record under its own name, or rename the service that has a "
            "host's name."
        ),
    ),
    "cname-shadows": Page(
        title="A service has the name of its own host.",
        severity="warning",
        what="The service has the name of its own host, or of one of its interfaces. It has no CNAME.",
        why=(
            "A CNAME cannot stand beside other records, and is not needed: the name resolves. But the "
            "service cannot move to another host under this name."
        ),
        todo="Rename the service if it may move one day; drop it if it says nothing more than the host does.",
    ),
    "name-unusable": Page(
        title="A name has no form in DNS below the site's zone.",
        severity="warning",
        what=(
            "DNS has no form for the name: an underscore, a blank, a label longer than 63 characters, a "
            "name longer than 253, or a qualified name outside the site's zone. It has no record; a "
            "reservation is served without a name."
        ),
        why=(
            "Name servers refuse such a name, some of them with the whole zone. Letters outside ASCII are "
            "fine and become punycode."
        ),
        todo="Rename the host or the service.",
    ),
    "ptr-outside": Page(
        title="A public address outside the site's networks has no PTR here.",
        severity="info",
        what=(
            "The address is public, and no whole /24 (IPv6: /64) of the site holds it. The A record is "
            "served, a PTR is not."
        ),
        why=(
            "Its reverse zone belongs to somebody else, and we would answer for other people's addresses. "
            "For private addresses outside every segment a reverse zone is made: such questions must not "
            "leave the site (RFC 6303)."
        ),
        todo="Ask whoever runs the reverse zone, or declare the segment.",
    ),
    "reverse-zone-missing": Page(
        title="A public network has no reverse zone here.",
        severity="warning",
        what=(
            "A segment has a public network that is longer than a /24 (IPv6: /64), so that its reverse zone"
            " would take in other people's addresses. None is served."
        ),
        why="Mail servers and logs ask for the names of such addresses, and nobody answers.",
        todo="Have whoever holds the reverse zone delegate the part (RFC 2317), or enter the records there.",
    ),
    "zone-unusable": Page(
        title="The site's zone is no name that DNS can serve.",
        severity="error",
        what=(
            "The slug and root domain of the site make no DNS name, or one in the reverse tree. No zone is "
            "rendered at all."
        ),
        why="Every name of the site stands below it.",
        todo="Correct the site's slug or root domain.",
    ),
}
