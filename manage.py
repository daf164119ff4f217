#!/usr/bin/env python3
"""The project's command line: ``manage.py help`` lists the commands."""

import os
import sys


def main() -> None:
    """Run the command named in ``sys.argv``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mgmtplane.settings")
    try:
        from mgmtplane.command_line import run
    except ImportError:
        print(
            "manage.py: Django is not installed for this Python; run `make up`, or use .venv/bin/python.",
            file=sys.stderr,
        )
        sys.exit(2)
    run(sys.argv)


if __name__ == "__main__":
    main()
