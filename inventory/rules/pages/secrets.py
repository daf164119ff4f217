"""Pages of findings about secrets that stand in plain."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "secret-in-plain": Page(
        title="A secret stands in plain.",
        severity="error",
        what=(
            "A value is a secret by the name of its key (password, token, api_key, …) or by its shape (a "
            "private key, an address with a password in it, a token of a well-known issuer). Searched are "
            "the variables of the site, its segments, groups, profiles, hosts and interfaces, how hosts are"
            " reached, their notes, and what job templates give to runs. "
            "The finding names where it stands and never what it is."
        ),
        why=(
            "It is in every export, in every backup, in the history, and on the screen of everybody who may"
            " look."
        ),
        todo=(
            "Seal it with ansible-vault, or write a reference; then change the secret itself, for it has "
            "been seen."
        ),
    ),
    "secret-suspected": Page(
        title="A value looks random, as secrets do.",
        severity="warning",
        what=(
            "A long run of letters and digits in no order stands under a key that says nothing of it. Keys "
            "of checksums, fingerprints, certificates and other public values are left out."
        ),
        why="Most such values are secrets; some are harmless identifiers.",
        todo="Seal it if it is a secret. If it is none, lower the finding for this subject and say so.",
    ),
}
