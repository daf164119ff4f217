"""``python -m mgmtplane.upgrading up|back``: what ``make upgrade`` and ``make upgrade-back`` run."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .going import Upgrade
from .journal import Desk, Refused
from .returning import Back

FAILED, INTERRUPTED = 1, 130


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    reading = argparse.ArgumentParser(prog="upgrading", description=__doc__)
    reading.add_argument("way", choices=["up", "back"])
    given = reading.parse_args(words)
    clone = Path.cwd()
    if not (clone / "manage.py").is_file():
        say(f"{clone} has no manage.py; go to the directory of the application first.")
        return FAILED
    desk = Desk((clone / (os.environ.get("DATA_DIR") or "data")).resolve())
    try:
        if not desk.data.is_dir():
            raise Refused(f"{desk.data} does not exist; DATA_DIR says where the data lie.")
        if given.way == "up":
            wheels = os.environ.get("WHEELS")
            Upgrade(
                clone,
                desk,
                given=os.environ.get("FROM", ""),
                wheels=Path(wheels) if wheels else None,
                accept=os.environ.get("ACCEPT", ""),
                say=say,
            ).run()
        else:
            Back(clone, desk, -1, say, accept=os.environ.get("ACCEPT", "")).run()
    except Refused as reason:
        sys.stderr.write(f"upgrade: {reason}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(
            f"upgrade: {error.filename or desk.data} cannot be used ({error.strerror}); make room or give it to this user, "
            "then give the command again.\n"
        )
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write(
            "upgrade: interrupted. Give the command again to go on, or make upgrade-back to go back.\n"
        )
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
