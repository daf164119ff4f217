"""Pages of findings about severities that the site's people lowered."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "override-expired": Page(
        title="The day until which a severity was lowered has passed.",
        severity="warning; info when nothing is left to lower",
        what="A finding was lowered until a day that is over. It is as severe as ever again.",
        why="The reason was good until that day. Whether it still is has to be said anew.",
        todo="Repair what it speaks of and delete the entry, or say why it may last longer.",
    ),
    "override-idle": Page(
        title="A lowered severity lowers nothing.",
        severity="info",
        what=(
            "What it names is not found any more, is no more severe than what it is lowered to, or is "
            "lowered by a more precise entry."
        ),
        why="Left standing, it hides the finding on the day when it comes back.",
        todo="Delete the entry, or correct what it names.",
    ),
}
