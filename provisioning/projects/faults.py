"""Why the code of a project is not to be had, in words for people. Pure."""

from __future__ import annotations

from provisioning.engine.faults import JobFailed


class ProjectError(JobFailed):
    """The project cannot be used as it is; *message* says what, *way_out* what a person does about it."""


class Outside(ProjectError):
    """Something of the project leads out of it."""


class Moved(ProjectError):
    """A directory is no longer what it was when its content was looked at."""
