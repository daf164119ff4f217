"""Pages of findings about segments and the addresses in them."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
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
}
