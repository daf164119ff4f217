"""What a project names lies in the project."""

from __future__ import annotations

import os

import pytest

from provisioning.projects import Outside, ProjectError, inside


@pytest.mark.parametrize(
    "path", ["", " ", "/etc/passwd", "../x", "roles/../../x", "~/x", "-e", "a\0b", "a\nb", "roles/.."]
)
def test_a_path_that_leaves_the_project_is_refused(code, path):
    with pytest.raises(Outside):
        inside(code, path)


def test_a_playbook_that_is_a_link_to_somebody_elses_file_is_refused(code):
    (code / "passwd.yml").symlink_to("/etc/passwd")
    with pytest.raises(Outside, match=r"passwd.yml is a link that leads out of the project"):
        inside(code, "passwd.yml")


def test_a_link_on_the_way_there_counts_too(code):
    (code / "elsewhere").symlink_to("/etc")
    with pytest.raises(Outside, match="elsewhere/passwd is a link"):
        inside(code, "elsewhere/passwd")


def test_links_inside_the_project_are_followed(code):
    (code / "link.yml").symlink_to("site.yml")
    assert inside(code, "link.yml") == inside(code, "./site.yml")


def test_what_is_not_there_is_named(code):
    with pytest.raises(ProjectError, match=r"The project has no Site.yml. See how it is spelt"):
        inside(code, "Site.yml")


def test_a_link_to_itself_is_no_file(code):
    os.symlink("round.yml", code / "round.yml")
    with pytest.raises(ProjectError, match=r"The project has no round.yml"):
        inside(code, "round.yml")
