"""What a person answers about a first site; everything else is derived. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


class Unanswerable(ValueError):
    """The answers do not go together; ``problems`` says for each field what is wrong and what to do."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FirstHost:
    """A first machine. Virtual ones get MAC and VMID here; of real ones the MAC is read off, perhaps later."""

    form: str
    role: str
    segment: str
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    slug: str
    root_domain: str
    block: str
    name: str = ""
    organisation: str = "de"
    environment: str = "10"
    vmid_first: int = 100
    vmid_last: int = 199
    segments: tuple[str, ...] = field(default_factory=tuple)
    router: bool = True
    router_mac: str | None = None
    hypervisor: bool = True
    hypervisor_mac: str | None = None
    host: FirstHost | None = None
