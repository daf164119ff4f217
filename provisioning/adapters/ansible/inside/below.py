"""Become the command that is given, such that it dies with the process that started it and asks nobody anything."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main():
    parent = int(sys.argv[1])
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be asked for
        sys.exit(137)
    # a terminal would make tasks such as pause wait for somebody who never comes
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        sys.stderr.write(f"{sys.argv[2]}: {error.strerror}\n")
        sys.exit(127)


main()
