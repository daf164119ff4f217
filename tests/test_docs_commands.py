"""Commands that the documentation shows exist and take the options that it shows."""

from __future__ import annotations

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class

from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])


def _shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for fence in re.findall(r"```(?:sh|console|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            for line in fence.replace("\\\n", " ").splitlines():
                if match := re.search(r"manage\.py ([a-z_]+[^|>&;#]*)", line):
                    found.append((page.name, match[1].strip().rstrip('")')))
    return found


@pytest.mark.parametrize(("page", "command"), _shown())
def test_a_command_that_is_shown_can_be_called(page, command):
    name, *arguments = shlex.split(command)
    app = get_commands().get(name)
    assert app, f"{page} shows `manage.py {name}`, which does not exist"
    parser = load_command_class(app, name).create_parser("manage.py", name)
    try:
        parser.parse_args(arguments)
    except (SystemExit, Exception) as error:
        pytest.fail(f"{page}: `manage.py {command}`: {error}")
