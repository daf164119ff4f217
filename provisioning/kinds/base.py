"""What a kind of job says of itself, and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from inventory.models import Site
from mgmtplane.celery import LONG, SHORT
from provisioning.plans import Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn
    from provisioning.models import Job

__all__ = ["LONG", "SHORT", "Asked", "Kind", "Nothing", "Shown"]


@dataclass(frozen=True)
class Shown:
    """A small table of what there is to choose from, for the page that asks; *empty* where there are no rows."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


#: the parameter by which a person confirms what cannot be taken back
TYPED = "typed"


class Nothing(forms.Form):
    """The parameters of a kind that has none."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: the site and the parameters, as the kind's form understood them."""

    site: Site | None
    parameters: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    why: str = ""
    #: whether who is told of it may read what runs say
    reads: bool = field(default=False, compare=False)
    #: what the kind's ``plan`` found and its ``keep`` writes down; nobody else looks at it
    found: dict[str, Any] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]


@dataclass(frozen=True)
class WayOut:
    """A job that leads on from one that failed: *kind* with *parameters*; *said* stands on the link."""

    said: str
    kind: str
    parameters: dict[str, str]


class Kind:
    """A subclass is one kind of job; it is listed in ``provisioning/kinds/__init__.py``, and keeps no state.

    ``plan`` looks and does nothing; ``run`` acts in steps, each of which looks, acts if needed, and looks again, so that
    running a job again converges.
    """

    #: as in ``manage.py job NAME``; kept in rows, so never changed
    name: ClassVar[str]
    #: with ``{site}`` and the parameters by name: “Switch the authority of {site} to {to}”
    title: ClassVar[str]
    #: what its button says
    verb: ClassVar[str] = "Start"
    #: in short: what it is for
    what: ClassVar[str] = ""
    #: minutes of work belong into LONG, where no short job waits for them
    queue: ClassVar[str] = SHORT
    #: needed at the site; at every site, where the kind belongs to none
    permission: ClassVar[str] = "provisioning.run_job"
    #: belongs to one site
    of_site: ClassVar[bool] = True
    #: never without a plan that a person confirmed
    destructive: ClassVar[bool] = False
    #: changes nothing outside
    reads_only: ClassVar[bool] = False
    #: what a copy of the application does for itself, be it live or not: it touches no site and nothing outside
    of_any_copy: ClassVar[bool] = False
    #: may begin from the start after its worker was lost
    repeatable: ClassVar[bool] = True
    #: attempts in all, before it is lost: whatever takes its worker down so often takes every worker down
    most_tries: ClassVar[int] = 10
    #: attempts before a fault that may pass fails it
    most_faults: ClassVar[int] = 5
    #: seconds before the second attempt after a fault that may pass; doubled each time
    pause: ClassVar[float] = 5.0
    #: False where looking takes long: then the job itself plans, and waits for the confirmation
    plans_on_request: ClassVar[bool] = True
    #: False where the clock, which asks for much at once, leaves the planning to the job itself
    plans_by_clock: ClassVar[bool] = True
    Parameters: ClassVar[type[forms.Form]] = Nothing

    @property
    def never_by_clock(self) -> str:
        """Why no schedule may ask for it; empty: one may. A person types a name (``typed``) each time."""
        if TYPED not in self.Parameters.base_fields:
            return ""
        return f"{self.name} wants a name typed by a person each time; no schedule may ask for it."

    def against_clock(self, asked: Asked) -> str:
        """Why no schedule may ask for exactly this, though a person may; empty: one may."""
        return ""

    def machine_key(self, asked: Asked) -> str:
        """Names the machine that it touches, such as ``lab/vm01``; empty: none. One active job for each."""
        return ""

    def target_key(self, asked: Asked) -> str:
        """Names what else it touches, such as ``authority/lab``; empty: nothing."""
        return ""

    def strangers(self, asked: Asked) -> Mapping[str, list[str]]:
        """Parameters that name what is not declared: name → what to say. Such a job is never made."""
        return {}

    def there(self, site: Site, given: Mapping[str, str]) -> Shown | None:
        """What there is to choose from, for the page that asks, from what it was *given* so far; no call outside."""
        return None

    def plan(self, asked: Asked) -> Plan:
        """What it would do now. Called without a transaction."""
        return Plan()

    def keep(self, job: Job, asked: Asked) -> None:
        """Write what ``plan`` found beside *job*, in the transaction that makes it."""

    def may_repeat(self, job: Job) -> bool:
        """Whether *job*, whose worker was lost or met a fault that may pass, may begin again with nobody looking."""
        return self.repeatable

    def exit_code(self, job: Job) -> int | None:
        """What ``manage.py job --wait`` exits with when *job* is finished; None: as its state says."""
        return None

    def plan_in(self, turn: Turn) -> Plan:
        """The plan as the job itself makes it, where looking takes calls to the outside. May raise ``JobFailed``."""
        return self.plan(turn.asked)

    def run(self, turn: Turn, plan: Plan) -> None:
        """Do it. Raise ``JobFailed`` for what a person must know; numbers go into ``turn.outcome``."""
        raise NotImplementedError

    def after(self, turn: Turn) -> None:
        """``run`` did it: what else follows, here and not outside. Raises nothing."""

    def way_out(self, job: Job) -> WayOut | None:
        """What leads on from *job* where it failed, besides running it again."""
        return None

    def title_of(self, job: Job) -> str:
        return self.title.format_map(_Named({**job.parameters, "site": job.site_slug}))


class _Named(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "…"


def plain(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Cleaned parameters as JSON that the same form reads again."""
    return {name: _plain(value) for name, value in cleaned.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
