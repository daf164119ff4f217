"""Pages of what is wrong with the ways in."""

from __future__ import annotations

from inventory.rules.page import Page

PAGES = {
    "emergency-use-open": Page(
        title="The emergency access was used and not tidied up after.",
        severity="warning",
        what="A use of the site's emergency access is recorded without a moment at which it was tidied up.",
        why="Its password is known to one person more, and a way in that was opened may still be open.",
        todo="Do what the site says is to be done after a use, then enter when it was done.",
    ),
    "host-key-shared": Page(
        title="Two hosts have the same SSH host key.",
        severity="warning",
        what="The same public host key is recorded for more than one host; clones of one image often have one.",
        why="Whoever gets into one of them can be taken for the other, and ssh does not notice.",
        todo="Make new host keys on the clones, and record those.",
    ),
    "jump-alternative-same-switch": Page(
        title="Both ways into a segment cross the same switch.",
        severity="warning",
        what="The jump host of a segment and its second one are plugged into the same switch, or what they run on is.",
        why="When that switch fails, nobody comes in either way.",
        todo="Plug the second one in elsewhere, or name a host with a way of its own.",
    ),
    "jump-host-not-on-boot": Page(
        title="A hypervisor does not start the jump host that leads to it.",
        severity="warning",
        what="A hypervisor is reached through a virtual machine on it that does not start when it boots.",
        why="After an outage the hypervisor runs, and nobody can log in to it to start anything.",
        todo="Have the jump host started on boot, or declare another way to the hypervisor.",
    ),
    "wake-relay-waits": Page(
        title="A Wake-on-LAN relay is not up before the host that it wakes.",
        severity="warning",
        what="The relay that would wake a host runs on it, or is reached through it.",
        why="When everything is off, the relay cannot send; powering up then asks for hands.",
        todo="Name another relay for the segment, or declare how people switch the host on.",
    ),
    "wake-relay-elsewhere": Page(
        title="A Wake-on-LAN relay is not on its segment.",
        severity="warning",
        what="The relay of a segment has no interface on it.",
        why="A magic packet is a broadcast: it does not leave the segment that it is sent on.",
        todo="Name a host with an interface on the segment.",
    ),
}
