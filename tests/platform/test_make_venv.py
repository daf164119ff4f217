"""``tools/make-venv``: the messages for a machine that lacks something. Nothing is installed here."""

import subprocess

from tests.shared_data import REPOSITORY

SCRIPT = REPOSITORY / "tools" / "make-venv"


def interpreter(directory, name: str, version: str, *, venv: bool = True) -> None:
    """A stand-in that answers what the script asks: its version, and whether it can make environments."""
    path = directory / name
    answer = f"echo {version}" if version in ("3.11", "3.12", "3.13", "3.14") and venv else "exit 1"
    path.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f"*ensurepip*) {answer} ;;\n"
        f"*version_info*) echo {version} ;;\n"
        f'*) echo "$0 $*" >> {directory}/called; exit 9 ;;\n'
        "esac\n"
    )
    path.chmod(0o755)


def make_venv(directory, **variables: str) -> subprocess.CompletedProcess:
    (directory / "requirements.txt").touch()
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), "stamp", "requirements.txt"],
        cwd=directory,
        env={"PATH": str(directory), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_supported_python_is_taken(tmp_path):
    interpreter(tmp_path, "python3.12", "3.12")
    interpreter(tmp_path, "python3.11", "3.11")
    interpreter(tmp_path, "python3", "3.10")
    assert "Creating .venv with python3.12 (3.12)" in make_venv(tmp_path).stderr


def test_one_that_cannot_make_environments_is_passed_over(tmp_path):
    interpreter(tmp_path, "python3.13", "3.13", venv=False)
    interpreter(tmp_path, "python3", "3.11")
    assert "Creating .venv with python3 (3.11)" in make_venv(tmp_path).stderr


def test_the_package_that_is_missing_is_named(tmp_path):
    interpreter(tmp_path, "python3", "3.12", venv=False)
    result = make_venv(tmp_path)
    assert result.returncode == 1
    assert "python3 cannot create virtual environments: its venv module is missing" in result.stderr
    assert "sudo apt-get install -y python3-venv" in result.stderr
    assert "python3.12-venv" in result.stderr


def test_an_old_python_is_refused_with_what_to_install(tmp_path):
    interpreter(tmp_path, "python3", "3.9")
    result = make_venv(tmp_path)
    assert result.returncode == 1
    assert "needs Python 3.11, 3.12, 3.13 or 3.14; python3 is 3.9." in result.stderr
    assert "sudo dnf install -y git make python3" in result.stderr


def test_a_python_that_is_asked_for_and_absent(tmp_path):
    result = make_venv(tmp_path, PYTHON="python3.12")
    assert result.returncode == 1
    assert "python3.12 is not there." in result.stderr
