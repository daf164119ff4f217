"""Versions and ranges of collections."""

from __future__ import annotations

import pytest

from provisioning.projects.versions import Version, fits


def test_versions_are_ordered_as_semver_says():
    said = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
            "1.2.0", "1.10.0", "2.0.0"]  # fmt: skip
    assert [str(one) for one in sorted(map(Version, reversed(said)))] == said


@pytest.mark.parametrize("text", ["1", "1.0", "v1.0.0", "", "1.0.0.0"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="is no semantic version"):
        Version(text)


@pytest.mark.parametrize(
    ("version", "wanted", "is_one"),
    [
        ("1.2.3", "", True),
        ("1.2.3", "*", True),
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "==1.2.3", True),
        ("1.2.3", "=1.2.3", True),
        ("1.2.3", "!=1.2.3", False),
        ("1.2.3", ">=1.2.3,<2.0.0", True),
        ("2.0.0", ">=1.2.3, <2.0.0", False),
        ("8.0.0", ">=8", True),
        ("7.9.9", ">=8", False),
        ("2.0.0-rc.1", ">=1.0.0", False),
        ("2.0.0-rc.1", "2.0.0-rc.1", True),
        ("1.2.3", "~1.2", False),
    ],
)
def test_a_range_says_which_versions_it_allows(version, wanted, is_one):
    assert fits(Version(version), wanted) is is_one
