"""Projects and job templates in a document, key by key. Pure."""

from __future__ import annotations

from inventory.automating.automation import MOST_FORKS, MOST_MINUTES, MOST_VERBOSITY
from inventory.automating.prompts import KINDS
from inventory.exports.site import vocabulary as words

_REFERENCE = "A reference: unlock:NAME, env:NAME, file:/path or vault:VARIABLE."

PROJECT = words.fields(
    "Where playbooks come from. What it names is code that runs with the site's secrets.",
    {
        "source": words.choice(
            "directory: of the machine that runs it; git: a repository.", ["directory", "git"], "directory"
        ),
        "location": words.needed(
            "An absolute path; of a repository also https://…, ssh://… or user@host:path.", 500
        ),
        "ref": words.text("Branch, tag or commit of a repository; left out: its default branch.", 200),
        "key": words.text(f"SSH key that a repository is read with. {_REFERENCE}", 300, format="run-secret"),
        "collections": words.text("Absolute path of collections that are there already.", 500),
        "image": words.text("Container image; left out: the local virtual environment.", 255),
    },
    "location",
)

_BOUND: words.Schema = {"type": ["number", "null"], "default": None}
PROMPT = words.fields(
    "One question, asked before each run.",
    {
        "name": words.needed("The variable that the answer becomes.", 100),
        "label": words.text("What people read before it; left out: the name."),
        "kind": words.choice("What an answer is.", list(KINDS), "string"),
        "required": words.flag("Whether it must be answered.", default=True),
        "default": {"description": "The answer where none is given; of a secret none.", "default": None},
        "choices": words.listed("Of a choice or a list: what it may be.", words.needed("One of them.")),
        "minimum": {
            **_BOUND,
            "description": "Lowest number, fewest characters of a text, fewest items of a list.",
        },
        "maximum": {**_BOUND, "description": "Highest number, most characters, most items."},
        "help": words.text("What people read below it."),
    },
    "name",
)

_BASED_ON = words.needed("The project that the playbook lies in.", 63)
TEMPLATE = words.fields(
    "A playbook with all that one run of it is given.",
    {
        "project": _BASED_ON,
        "playbook": words.needed("Path inside the project, such as playbooks/site.yml.", 300),
        "limit": words.text("Which hosts, as --limit; left out: all that the playbook names.", 1000),
        "limit_required": words.flag("A run without a limit is refused."),
        "tags": words.text("Only tasks of these, with a comma between.", 300),
        "skip_tags": words.text("No tasks of these, with a comma between.", 300),
        "check": words.flag("Says what would change, and changes nothing (--check)."),
        "diff": words.flag("Shows the lines that change (--diff)."),
        "forks": words.number("So many hosts at once.", 1, MOST_FORKS, default=5),
        "verbosity": words.number("How much Ansible says.", 0, MOST_VERBOSITY, default=0),
        "extra_vars": words.data("Stronger than every other variable. Never a secret."),
        "prompts": words.listed("What is asked before each run.", PROMPT),
        "vault_secrets": {
            **words.named("Vault id → password.", words.needed(_REFERENCE, 300, format="run-secret"), 63),
            "description": f"Vault id, such as default → {_REFERENCE[2:]}",
            "default": {},
        },
        "ssh_key": words.text(f"Key that hosts are entered with. {_REFERENCE}", 300, format="run-secret"),
        "remote_user": words.text("Who hosts are entered as; left out: what the inventory says.", 64),
        "time_limit_minutes": words.number(
            "What takes longer is ended with all its children.", 1, MOST_MINUTES, default=60
        ),
    },
    "project",
    "playbook",
)

#: Of roles and workload profiles: which template configures their hosts, and cleans up behind them.
NAMED = {
    "configure_template": words.text(
        "Job template that create and rebuild end with, limited to the host.", 63
    ),
    "retire_template": words.text("Job template that cleans up behind a host before it is retired.", 63),
}
