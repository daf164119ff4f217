"""Pages of findings about segments and the addresses in them."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "address-delegated": Page(
        title="A static address lies in a range that another allocator hands out.",
        severity="warning",
        what="A static address lies in a delegated range of its segment.",
        why="The other allocator does not know of it and may give it to another machine.",
        todo="Give the machine an address outside the range, or take the address out of the delegation.",
    ),
    "address-in-pool": Page(
        title="A static address lies in a DHCP pool.",
        severity="warning",
        what=(
            "A static address lies inside the DHCP pool of its segment. It is taken out of the rendered pool."
        ),
        why=(
            "A server that is configured otherwise, or was not reloaded, hands the address to a stranger, "
            "and two machines answer for it."
        ),
        todo="Give the machine an address outside the pool, or make the pool smaller.",
    ),
    "address-link-local": Page(
        title="A link-local address has no record.",
        severity="info",
        what=(
            "An interface with an A record has a link-local address (169.254.0.0/16 or fe80::/10). It has "
            "no record."
        ),
        why=(
            "A link-local address means something on one link only, so a name for it would mislead "
            "everybody else."
        ),
        todo="Nothing, unless another address was meant.",
    ),
    "address-outside-segment": Page(
        title="A static address lies outside its segment, or in no segment at all.",
        severity="warning",
        what=(
            "A static address lies outside the networks of the interface's segment or, where no segment is "
            "named, outside the networks of all segments."
        ),
        why=(
            "The machine cannot reach its gateway with it, or the declaration does not say where the "
            "machine is plugged in. Living sites have some, such as a router's other side."
        ),
        todo="Correct the address, or name or declare the segment that the machine is plugged into.",
    ),
    "address-unusable": Page(
        title="A static address is the network or broadcast address of its segment.",
        severity="error",
        what="The static address of an interface is the first or last address of its network.",
        why="No machine can use it.",
        todo="Give the interface another address.",
    ),
    "dhcp-not-served": Page(
        title="An interface waits for DHCP where nobody answers strangers.",
        severity="warning",
        what="An interface gets its address by DHCP, in a segment that serves reservations only, or nothing.",
        why="It has no reservation, since that needs a fixed address; so it stays without an address.",
        todo="Give it a static address with a reservation, or give the segment a pool.",
    ),
    "dns-server-unusable": Page(
        title="A segment's DNS server is not an address.",
        severity="warning",
        what=(
            "A DNS server of the segment is not an address and is not handed out; or there are more than 50"
            " of them, and clients are told the first 50."
        ),
        why=(
            "Clients need addresses to ask, since a name would have to be resolved first. The limit is what"
            " every server can put into one option."
        ),
        todo="Write the few DNS servers that clients shall ask, as addresses.",
    ),
    "gateway-outside-segment": Page(
        title="A segment's gateway lies outside its network.",
        severity="error",
        what="The gateway of a segment is no address of its network. No router is handed out.",
        why="Clients cannot reach a gateway that is not on their own link.",
        todo="Correct the gateway or the network.",
    ),
    "pool-missing": Page(
        title="A segment hands out pool addresses only, and has no pool.",
        severity="warning",
        what="The policy of the segment is dynamic, and no pool is declared.",
        why="Nobody gets an address there.",
        todo="Give the segment a pool, or let it take static mappings.",
    ),
    "pool-not-served": Page(
        title="A segment has a pool and takes static mappings only.",
        severity="info",
        what="The policy of the segment is static, and a pool is declared. The pool is kept and not served.",
        why="Somebody who reads the pool may expect strangers to get an address.",
        todo="Set the policy to both if they shall, or remove the pool.",
    ),
    "pool-outside-segment": Page(
        title="A segment's pool is no range of hosts of its network.",
        severity="error",
        what=(
            "The pool leaves its network, is upside down, or takes in the network or broadcast address. It "
            "is not served."
        ),
        why="Servers refuse such a pool as a whole, or hand out addresses that cannot work.",
        todo="Correct the pool or the network.",
    ),
    "pool-too-large": Page(
        title="The pools of a site are larger than ISC dhcpd can hold.",
        severity="info",
        what=(
            "The DHCP pools of the site have more than a million addresses together. The format isc-dhcp offers "
            "the first 1048576 of them and leaves the rest out; the other formats offer all."
        ),
        why=(
            "ISC dhcpd sets memory aside for each address of a range: a million takes seconds of its start, and a "
            "range of more than about 14 million makes it refuse the whole file (“overly large address range”)."
        ),
        todo="Nothing for Kea and dnsmasq. For dhcpd make the pool smaller.",
    ),
    "search-domain-unusable": Page(
        title="A segment's search domain is no DNS name, or the list is too long.",
        severity="warning",
        what=(
            "A search domain of the segment is no DNS name and is not handed out; or the list is longer "
            "than the 255 octets of a DHCP option, and the last ones are not handed out."
        ),
        why="Some servers refuse to start with such an option, others cut it in the middle of a name.",
        todo="Write the domains in letters, digits, hyphens and dots, and only as many as fit.",
    ),
    "segment-outside-block": Page(
        title="A segment's network lies outside the site's block.",
        severity="warning",
        what="The site declares an address block, and a network of a segment is not inside it.",
        why=(
            "Sites are told apart by their blocks: routes and firewall rules for the block miss this segment."
        ),
        todo="Give the segment a network of the block, or correct the block.",
    ),
    "segment-overlap": Page(
        title="Two segments' networks overlap.",
        severity="error",
        what="The networks of two segments that have DHCP overlap. DHCP is rendered for neither.",
        why="A server could not tell in which of them a client is, and some refuse to start.",
        todo="Correct a network, or set the policy of a segment that only sums up others to none.",
    ),
    "segment-undeclared": Page(
        title="An interface names a segment that is not declared.",
        severity="warning",
        what="The imported interface names a segment that the site does not declare, so it is in none.",
        why="No gateway, network, suffix or DHCP is known for it.",
        todo="Declare the segment, or name another.",
    ),
    "static-forbidden": Page(
        title="A static address in a segment that takes no static mappings.",
        severity="warning",
        what=(
            "An interface has a static address in a segment whose policy is dynamic, and is not the "
            "segment's gateway."
        ),
        why=(
            "Such segments are for strangers, guests for example; a fixed machine there is a mistake or a "
            "way in."
        ),
        todo="Move the interface, or change the policy of the segment to both.",
    ),
    "static-range-in-pool": Page(
        title="A segment's static range and its pool overlap.",
        severity="warning",
        what="The range for static addresses and the DHCP pool of a segment share addresses.",
        why=(
            "What lies in both is never handed out as a static address, so the range ends sooner than it "
            "says."
        ),
        todo="Keep the two apart.",
    ),
    "static-range-outside-segment": Page(
        title="A segment's static range is not inside its network.",
        severity="error",
        what="The range for static addresses lies outside the network of its segment, in whole or in part.",
        why="An address from it would not work, so none is handed out.",
        todo="Correct the range or the network.",
    ),
    "vlan-repeated": Page(
        title="Two segments have one VLAN id.",
        severity="error",
        what="Two segments of the site declare the same VLAN id.",
        why="On the wire they are one network: what the firewall keeps apart meets there.",
        todo="Give each segment a VLAN id of its own.",
    ),
}
