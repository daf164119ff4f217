"""What a location and a ref may say."""

from __future__ import annotations

import pytest

from provisioning.projects import ProjectError
from provisioning.projects.locations import check_ref, parse


@pytest.mark.parametrize(
    ("location", "protocol", "host", "port", "user"),
    [
        ("/srv/git/lab.git", "file", "", 0, ""),
        ("file:///srv/git/lab%20a", "file", "", 0, ""),
        ("ssh://git@git.example.org/lab.git", "ssh", "git.example.org", 22, "git"),
        ("ssh://git.example.org:2222/~/lab", "ssh", "git.example.org", 2222, ""),
        ("ssh://git@[2001:db8::1]:2222/lab", "ssh", "2001:db8::1", 2222, "git"),
        ("git@git.example.org:group/lab.git", "ssh", "git.example.org", 22, "git"),
        ("git@[2001:db8::1]:lab.git", "ssh", "2001:db8::1", 22, "git"),
        ("https://git.example.org/lab.git", "https", "git.example.org", 443, ""),
        ("https://git.example.org:8443/lab.git", "https", "git.example.org", 8443, ""),
    ],
)
def test_a_location_names_protocol_and_server(location, protocol, host, port, user):
    found = parse(location)
    assert (found.protocol, found.host, found.port, found.user) == (protocol, host, port, user)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("", "is no location"),
        (" /srv/git", "is no location"),
        ("/srv/git\n", "is no location"),
        ("--upload-pack=touch /tmp/x", "begins with a dash"),
        ("-oProxyCommand=touch:x", "begins with a dash"),
        ("git@-oProxyCommand=x:y", "has no name of a server"),
        ("git@example.org:-x", "begins with a dash"),
        ("ssh://-oProxyCommand=touch/x", "has no name of a server"),
        ("ssh://-x@example.org/x", "has a user of an odd name"),
        ("ext::sh -c touch% /tmp/x", "asks git to run a helper program"),
        ("ext::[x", "is no location"),
        ("ext::https://x/y", "is reached by ext|asks git"),
        ("fd::17/foo", "asks git to run a helper program"),
        ("git://example.org/lab", "anybody on the way can change"),
        ("http://example.org/lab", "anybody on the way can change"),
        ("ftp://example.org/lab", "is reached by ftp"),
        ("file://host/lab", "is reached by file"),
        ("https://example.org", "names no repository"),
        ("https://example.org/lab?x=y", "names no repository"),
        ("https://example.org:port/lab", "is no location"),
        ("relative/path", "is no location"),
    ],
)
def test_what_is_none_is_refused_with_the_forms_that_are(location, why):
    with pytest.raises(ProjectError, match=why) as caught:
        parse(location)
    assert "Declare one of /path/on/this/machine" in str(caught.value)


def test_a_password_in_a_location_is_refused_and_not_repeated():
    with pytest.raises(ProjectError, match="has a password or a token in it") as caught:
        parse("https://ci:hunter2hunter2@example.org/lab")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("ref", ["", "main", "feature/x-1", "v1.2.3", "refs/heads/main", "a" * 40])
def test_a_ref_is_a_branch_a_tag_or_a_commit(ref):
    assert check_ref(ref) == ref


@pytest.mark.parametrize(
    "ref",
    ["-x", "--upload-pack=x", "a b", "a..b", "a:b", "main*", "a@{1}", "/a", "a/", "a.lock", "a~1", "x" * 300],
)
def test_what_is_no_name_of_a_ref_is_refused(ref):
    with pytest.raises(ProjectError, match="is no name of a branch, tag or commit"):
        check_ref(ref)
