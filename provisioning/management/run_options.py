"""What ``manage.py job run`` takes beside the options of every job, and what that is as parameters."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from provisioning.models import PlaybookRun
from provisioning.runs import following

RUN = "run_playbook"
_TEXTS = ("template", "limit", "tags", "skip_tags", "forks")
_YES = ("check", "diff", "check_first")


def add_to(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(f"of {RUN} (docs/ansible-runs.md)")
    group.add_argument("--template", metavar="NAME", help="the job template")
    group.add_argument("--limit", metavar="PATTERN", help="which hosts, as Ansible's --limit")
    group.add_argument("--tags", metavar="TAGS")
    group.add_argument("--skip-tags", metavar="TAGS")
    group.add_argument("--forks", metavar="NUMBER")
    group.add_argument("--check", action="store_true", help="say what would change, and change nothing")
    group.add_argument("--diff", action="store_true", help="show the lines that change")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="answers", help="answers a prompt"
    )
    group.add_argument(
        "--check-first", action="store_true", help="a check run, which --apply then applies as it was checked"
    )
    follows = group.add_mutually_exclusive_group()
    follows.add_argument("--apply", metavar="JOB", type=int, help="apply a check with the inputs that it had")
    follows.add_argument("--relaunch", metavar="JOB", type=int, help="a run once more with the inputs it had")
    group.add_argument(
        "--on",
        choices=[way for way in following.WAYS if way != following.APPLY],
        help="with --relaunch: on which of its hosts; all where it is left out",
    )
    group.add_argument(
        "--secret-stdin", metavar="NAME", help="the secret NAME that the job needs is what stdin holds"
    )


def parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that these options are; none where none was given."""
    found: dict[str, Any] = {name: options[name] for name in _TEXTS if options[name] is not None}
    found |= {name: "yes" for name in _YES if options[name]}
    if options["answers"]:
        found["answers"] = _answers(options["answers"])
    if options["apply"] is not None:
        found |= {"origin": options["apply"], "on": following.APPLY}
    if options["relaunch"] is not None:
        found |= {"origin": options["relaunch"], "on": options["on"] or following.ALL}
    elif options["on"]:
        raise CommandError("--on says on which hosts of --relaunch JOB; name the job.", returncode=2)
    return found


def site_of(options: Mapping[str, Any]) -> Any:
    """The site of the run that this one follows; None where it follows none, or none that is known."""
    origin = options["apply"] if options["apply"] is not None else options["relaunch"]
    run = PlaybookRun.objects.select_related("site").filter(pk=origin).first() if origin else None
    return run.site if run else None


def _answers(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"--set {text}: write it as NAME=VALUE.", returncode=2)
        found[name] = value
    return found
