"""manage.py undo: a plan, unless told to apply it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from inventory.changes import change
from inventory.models import Host, Role
from tests.undoing.conftest import latest

pytestmark = pytest.mark.django_db


@pytest.fixture
def edited(site):
    row = Host.objects.get(name="hv01")
    with change(site, by="bob"):
        row.notes, row.variables = "new", {"b": 1, "api_password": "Sesame12345"}
        row.save()
    return latest()


def run(capsys, *args: str) -> tuple[str, str]:
    call_command("undo", "--site", "lab", *args)
    said = capsys.readouterr()
    return said.out, said.err


def test_it_shows_a_plan_and_changes_nothing(edited, capsys):
    out, err = run(capsys, str(edited.revision))
    assert "~ host hv01: notes new → empty" in out
    assert "Sesame12345" not in out
    assert "export site changes: site.yml" in out
    assert "Nothing was changed; --apply does it." in err
    assert Host.objects.get(name="hv01").notes == "new"


def test_it_undoes_with_a_reason(edited, capsys):
    with pytest.raises(CommandError, match="Say why; nothing was undone"):
        run(capsys, str(edited.revision), "--apply")
    _, err = run(capsys, str(edited.revision), "--apply", "--why", "the wrong host", "--by", "ada")
    assert f"Undone: revision {edited.revision + 1} of lab." in err
    assert (latest().by_name, latest().source) == ("ada", "undo")
    assert Host.objects.get(name="hv01").notes == ""


def test_it_undoes_everything_since(site, edited, capsys):
    with change(site, by="bob"):
        Role(site=site, slug="dns").save()
    run(capsys, str(edited.revision - 1), "--since", "--apply", "--why", "a bad day")
    assert not Role.objects.filter(slug="dns").exists()
    assert Host.objects.get(name="hv01").notes == ""


def test_it_says_what_stands_in_the_way(site, edited, capsys):
    row = Host.objects.get(name="hv01")
    with change(site, by="eve"):
        row.notes = "newer"
        row.save()
    with pytest.raises(CommandError, match="cannot be undone as it is"):
        run(capsys, str(edited.revision))
    assert "cannot: host hv01: notes was changed later by eve in revision 4." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [(["99"], "has no revision 99; the newest is 3"), (["3", "--since"], "Nothing changed at lab since")],
)
def test_it_answers_in_words(edited, capsys, args, said):
    with pytest.raises(CommandError, match=said):
        run(capsys, *args)
