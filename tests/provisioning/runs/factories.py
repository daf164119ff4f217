"""Rows of runs for tests: a job with its run, events and hosts, without Ansible."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

import factory
from django.utils import timezone

from inventory.models import Site
from provisioning import states
from provisioning.models import FrozenInput, Job, PlaybookRun, RunEvent, RunHost


def frozen(text: str = "{}") -> FrozenInput:
    """The row of *text*, made where there is none."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return FrozenInput.objects.get_or_create(digest=digest, defaults={"body": zlib.compress(text.encode())})[
        0
    ]


class JobFactory(factory.django.DjangoModelFactory[Job]):
    class Meta:
        model = Job

    kind = "run_playbook"
    #: give a Site
    site: Site
    site_slug = factory.LazyAttribute(lambda made: made.site.slug)
    by_name = "olga"
    parameters = factory.LazyFunction(lambda: {"template": "base"})
    state = states.SUCCEEDED
    queue = "long"
    attempt = 1
    started = factory.LazyFunction(timezone.now)
    finished = factory.LazyFunction(timezone.now)


class RunFactory(factory.django.DjangoModelFactory[PlaybookRun]):
    """A run; ``RunFactory(job__site=site)``."""

    class Meta:
        model = PlaybookRun

    job = factory.SubFactory(JobFactory)
    site = factory.SelfAttribute("job.site")
    template = "base"
    project = "lab-playbooks"
    playbook = "site.yml"
    commit = "1f" * 20
    revision = 1
    inventory = factory.LazyFunction(frozen)
    arguments = factory.LazyFunction(
        lambda: {"template": "base", "project": {"name": "lab-playbooks"}, "playbook": "site.yml"}
    )
    rc = 0


class HostFactory(factory.django.DjangoModelFactory[RunHost]):
    """How a host fared; ``HostFactory(run=run, host="web01", ok=3)``."""

    class Meta:
        model = RunHost

    host = factory.Sequence(lambda number: f"web{number:03}")


def events(run: PlaybookRun, wanted: Iterable[dict[str, object]], *, attempt: int = 1) -> list[RunEvent]:
    """Events after those that *run* has, with counters and line numbers as a worker writes them."""
    made, counter, line = [], run.last_event, run.lines
    for columns in wanted:
        counter += 1
        text = str(columns.get("text", ""))
        lines = len(text.split("\n")) if text else 0
        made.append(
            RunEvent(
                **{
                    "run": run,
                    "counter": counter,
                    "attempt": attempt,
                    "kind": "runner_on_ok",
                    "at": timezone.now(),
                    "first_line": line + 1,
                    "lines": lines,
                    **columns,
                }
            )
        )
        line += lines
    RunEvent.objects.bulk_create(made)
    run.last_event, run.lines = counter, line
    run.save(update_fields=["last_event", "lines"])
    return made
