"""Any two renderings of a format can be compared: in a shell and in the browser."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Host, Rendering, Site
from inventory.serving import contents, renderings
from inventory.serving.comparison import differences

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(site: Site) -> tuple[Rendering, Rendering]:
    """The inventory before and after a host came."""
    renderings.rendering(site.slug, "ansible", fetched=True)
    with change(site, why="one more"):
        Host(site=site, name="gamma").save()
    renderings.rendering(site.slug, "ansible", fetched=True)
    old, new = Rendering.objects.filter(format="ansible").order_by("revision")
    return old, new


def out(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    call_command("renderings", *args)
    return capsys.readouterr().out


# --- pure ---


def test_a_change_is_shown_with_the_lines_around_it_and_their_numbers() -> None:
    old = "\n".join(f"line {number}" for number in range(1, 101)) + "\n"
    new = old.replace("line 50\n", "line fifty\n")
    (found,) = differences({"f": old.encode()}, {"f": new.encode()})
    assert found.lines == (
        "@@ -47,7 +47,7 @@",
        " line 47",
        " line 48",
        " line 49",
        "-line 50",
        "+line fifty",
        " line 51",
        " line 52",
        " line 53",
    )
    assert found.counts == (1, 1)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("a\na\n", "a\na\na\n", (1, 0)),
        ("", "a\n", (1, 0)),
        ("a\n", "", (0, 1)),
        ("a\nb\n", "b\na\n", (1, 1)),
        ("x\n" * 9 + "a\n" + "x\n" * 9, "x\n" * 9 + "b\n" + "x\n" * 9, (1, 1)),
    ],
)
def test_lines_are_counted(old: str, new: str, wanted: tuple[int, int]) -> None:
    (found,) = differences({"f": old.encode()}, {"f": new.encode()})
    assert found.counts == wanted


def test_files_come_and_go() -> None:
    old, new = {"a": b"1\n", "same": b"0\n"}, {"b": b"2\n", "same": b"0\n"}
    assert [(one.path, one.what) for one in differences(old, new)] == [("a", "removed"), ("b", "added")]


def test_bytes_that_are_no_text_are_said_to_differ() -> None:
    (found,) = differences({"f": b"\xff\x00"}, {"f": b"\xfe"})
    assert found.lines == ("-2 bytes", "+1 bytes")


# --- in a shell ---


def test_the_newest_is_compared_with_the_one_before_it(
    two: tuple[Rendering, Rendering], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two
    shown = out(capsys, "ansible", "--site", "lab", "--diff")
    assert shown.splitlines()[:2] == [
        f"--- inventory.json revision {old.revision}",
        f"+++ inventory.json revision {new.revision}",
    ]
    assert any(line.startswith("+") and "gamma" in line for line in shown.splitlines()[2:])


def test_two_revisions_are_compared_in_the_order_given(
    two: tuple[Rendering, Rendering], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two
    shown = out(capsys, "ansible", "--site", "lab", "--diff", new.revision, old.revision)
    assert any(line.startswith("-") and "gamma" in line for line in shown.splitlines()[2:])


def test_the_list_names_revision_size_and_who_has_it(
    two: tuple[Rendering, Rendering], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = out(capsys, "--site", "lab")
    assert [line.split(":")[0] for line in shown.splitlines()] == [
        f"ansible revision {row.revision}" for row in reversed(two)
    ]
    assert ", fetched " in shown


def test_a_revision_that_was_not_rendered_is_named_with_those_that_were(
    two: tuple[Rendering, Rendering],
) -> None:
    old, new = two
    with pytest.raises(
        CommandError, match=rf"no rendering of revision 99\. There are: {old.revision}, {new.revision}\."
    ):
        call_command("renderings", "ansible", "--site", "lab", "--diff", "99")


def test_content_that_is_gone_is_said_so(two: tuple[Rendering, Rendering]) -> None:
    contents.path_of(two[0].sha256).unlink()
    with pytest.raises(CommandError, match="is gone from the data directory"):
        call_command("renderings", "ansible", "--site", "lab", "--diff")


def test_an_unknown_site_or_format_lists_those_there_are(site: Site) -> None:
    with pytest.raises(CommandError, match="Sites: lab"):
        call_command("renderings", "--site", "nowhere")
    with pytest.raises(CommandError, match="There are: "):
        call_command("renderings", "nothing", "--site", "lab")


# --- in the browser ---


def test_a_rendering_shows_what_it_changed(two: tuple[Rendering, Rendering], admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:inventory_rendering_change", args=[two[1].pk])).content.decode()
    assert 'class="mp-plus"' in page
    assert "gamma" in page


def test_two_chosen_in_the_list_are_compared(two: tuple[Rendering, Rendering], admin_client: Client) -> None:
    data = {"action": "compare_two", "_selected_action": [row.pk for row in two]}
    answer = admin_client.post(reverse("admin:inventory_rendering_changelist"), data, follow=True)
    assert f"revision {two[0].revision} → {two[1].revision}" in answer.content.decode()


def test_one_chosen_alone_is_not_enough(two: tuple[Rendering, Rendering], admin_client: Client) -> None:
    data = {"action": "compare_two", "_selected_action": [two[0].pk]}
    answer = admin_client.post(reverse("admin:inventory_rendering_changelist"), data, follow=True)
    assert "Choose exactly two" in answer.content.decode()


def test_the_first_rendering_has_nothing_before_it(
    two: tuple[Rendering, Rendering], admin_client: Client
) -> None:
    page = admin_client.get(reverse("admin:inventory_rendering_change", args=[two[0].pk])).content.decode()
    assert "nothing lies before it" in page


@pytest.mark.parametrize("given", ["", "x", "0", "999999999999999999999"])
def test_an_id_that_is_none_is_not_found(site: Site, admin_client: Client, given: str) -> None:
    page = reverse("admin:inventory_rendering_compare")
    assert admin_client.get(page, {"old": given, "new": given}).status_code == 404
