#!/usr/bin/env python3
"""Is every file of this kit as it was written, and who signed it?

    python3 check.py                                this kit
    python3 check.py KIT --fingerprint SHA256:...   and it was signed with the key that you wrote down
    python3 check.py KIT.tar.gz                     the archive, as it is

What git and macOS lay beside a kit, the directory .git and files .DS_Store, is not looked at.
Only the standard library, Python 3.6 or newer. The signature needs ssh-keygen (OpenSSH 8.0 or newer).
Exit status 0: all is well. 1: a line for each file that is damaged, missing or too many, or signed by somebody else.
2: the signature was to be looked at, and could not be.
"""

import argparse
import base64
import hashlib
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zlib

SUMS, OWN_SUM, SIGNATURE, SIGNERS = "SHA256SUMS", "SHA256SUMS.sha256", "SHA256SUMS.sig", "allowed_signers"
NAMESPACE = "mgmtplane-kit"
SIGNER = re.compile(r'mgmtplane-kit namespaces="mgmtplane-kit" ssh-ed25519 ([A-Za-z0-9+/]{68})\n\Z')
BLOCK = 1 << 20


class Unseen(Exception):
    """The signature cannot be looked at here; the text says why."""


def of_stream(stream):
    found = hashlib.sha256()
    for block in iter(lambda: stream.read(BLOCK), b""):
        found.update(block)
    return found.hexdigest()


def opened(path, how=os.lstat):
    """The file at *path*. OSError where it is anything else: who opens a FIFO may wait for ever."""
    if not stat.S_ISREG(how(path).st_mode):
        kind = "a link" if os.path.islink(path) else "no file"
        raise OSError("{} is {}".format(os.path.basename(path), kind))
    return open(path, "rb")


def digest(path):
    with opened(path, os.stat) as file:
        return of_stream(file)


def listed(text, sums):
    found = {}
    for number, line in enumerate(text.decode("utf-8").splitlines(True), 1):
        sum_, mark, name = line.rstrip("\n").partition("  ")
        if not mark or not re.match(r"[0-9a-f]{64}\Z", sum_) or not line.endswith("\n") or name in found:
            raise ValueError("line {} of {} is damaged".format(number, sums))
        found[name] = sum_
    return found


class Folder:
    """A kit as a directory: what is there, and what each file's sum is."""

    def __init__(self, path):
        self.path = path

    def read(self, name):
        with opened(os.path.join(self.path, name)) as file:
            return file.read()

    def digests(self):
        """(name, sum or None, what is wrong)"""
        for where, folders, names in os.walk(self.path):
            links = [one for one in folders if os.path.islink(os.path.join(where, one))]
            if where == self.path and ".git" in folders and ".git" not in links:
                folders.remove(".git")
            for name in names + links:
                path = os.path.join(where, name)
                short = os.path.relpath(path, self.path).replace(os.sep, "/")
                if os.path.islink(path):
                    yield short, None, "is a link; a kit has none"
                    continue
                try:
                    if not stat.S_ISREG(os.lstat(path).st_mode):
                        yield short, None, "is neither a file nor a directory; a kit has nothing else"
                        continue
                    if name == ".DS_Store":
                        continue
                    yield short, digest(path), ""
                except OSError as error:
                    yield short, None, error.strerror or str(error)

    def whole(self):
        return []

    def missing(self):
        """Why this is no kit at all, with those that lie in it; empty: it is one, whole or not."""
        if any(os.path.lexists(os.path.join(self.path, name)) for name in (SUMS, OWN_SUM)):
            return ""
        try:
            paths = [
                os.path.join(self.path, name) for name in sorted(os.listdir(self.path)) if name[0] != "."
            ]
        except OSError as error:
            return "{} cannot be read ({})".format(self.path, error.strerror)
        kits = [
            path
            for path in paths
            if os.path.isfile(os.path.join(path, SUMS))
            or (path.endswith(".tar.gz") and os.path.isfile(path + ".sha256"))
        ]
        said = "{} is no kit: {} is not in it".format(self.path, SUMS)
        if kits:
            return "{}. Kits lie in it; name one: {}".format(said, ", ".join(kits))
        return "{}, and there is no kit in it. Name the directory or the .tar.gz of a kit".format(said)


class Archive:
    """A kit as one file, read without unpacking it."""

    def __init__(self, path):
        self.path, self.kept, self.found, self.faults = path, {}, [], []
        self.name = os.path.basename(path)
        try:
            with opened(path, os.stat) as file, tarfile.open(path, fileobj=file) as tar:
                for entry in tar:
                    self._take(tar, entry)
        except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
            if self.found:
                said = "{}: cannot be read on after {} ({})".format(self.name, self.found[-1][0], why)
            else:
                said = "{} is no kit: neither a directory nor a .tar.gz ({})".format(self.name, why)
            self.faults.append(said)

    def _take(self, tar, entry):
        short = entry.name.partition("/")[2]
        if not entry.isfile():
            self.found.append((short or entry.name, None, "is no file; a kit has nothing else"))
            return
        stream = tar.extractfile(entry)
        if short in (SUMS, OWN_SUM, SIGNATURE, SIGNERS):
            self.kept[short] = stream.read()
            self.found.append((short, hashlib.sha256(self.kept[short]).hexdigest(), ""))
        else:
            self.found.append((short, of_stream(stream), ""))

    def read(self, name):
        if name not in self.kept:
            raise OSError("{} is not in it".format(name))
        return self.kept[name]

    def digests(self):
        return self.found

    def whole(self):
        """The file itself against the sum beside it: also what unpacking does not see."""
        beside = self.path + ".sha256"
        try:
            with opened(beside, os.stat) as file:
                wanted = listed(file.read(), os.path.basename(beside))
        except (OSError, ValueError) as error:
            return [*self.faults, "{}.sha256: cannot be read ({})".format(self.name, error)]
        if wanted != {self.name: digest(self.path)}:
            return [*self.faults, "{}: damaged, or {}.sha256 is".format(self.name, self.name)]
        return self.faults


def problems(kit):
    """A line for each thing that is not as it was written."""
    found = kit.whole()
    try:
        expected = listed(kit.read(SUMS), SUMS)
        own = listed(kit.read(OWN_SUM), OWN_SUM)
    except (OSError, ValueError) as error:
        return [*found, "{}: the sums cannot be read: {}".format(SUMS, error)]
    for name in (SUMS, SIGNATURE):
        if name == SIGNATURE and SIGNERS not in expected and name not in own:
            continue  # nobody signed this kit
        expected[name] = own.pop(name, "")
    for name in sorted(own):
        found.append("{}: says something of {}, which is not its to say".format(OWN_SUM, name))
    seen = set()
    for name, sum_, fault in kit.digests():
        if fault:
            found.append("{}: {}".format(name, fault))
        elif name != OWN_SUM and (name not in expected or name in seen):
            found.append("{}: does not belong to the kit".format(name))
        elif name != OWN_SUM and sum_ != expected[name]:
            beside = ", or {} is".format(OWN_SUM) if name in (SUMS, SIGNATURE) else ""
            found.append("{}: damaged{}".format(name, beside))
        seen.add(name)
    return found + ["{}: missing".format(name) for name in sorted(set(expected) - seen)]


def signer(kit):
    """The fingerprint of the key that signed the sums; empty where nobody did. ValueError: it did not."""
    try:
        line = kit.read(SIGNERS).decode("utf-8")
        signature = kit.read(SIGNATURE)
    except OSError:
        return ""
    try:
        sums = kit.read(SUMS)
    except OSError:
        raise Unseen("{} cannot be read".format(SUMS)) from None
    found = SIGNER.match(line)
    if not found:
        raise ValueError("{}: names no key, or more than one".format(SIGNERS))
    mark = "SHA256:" + base64.b64encode(
        hashlib.sha256(base64.b64decode(found.group(1))).digest()
    ).decode().rstrip("=")
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Unseen(
            "ssh-keygen is not on this machine (OpenSSH's client has it). The kit names {}".format(mark)
        )
    with tempfile.TemporaryDirectory() as folder:
        for name, content in ((SIGNERS, line.encode()), (SIGNATURE, signature)):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        words = [
            program,
            "-Y",
            "verify",
            "-f",
            os.path.join(folder, SIGNERS),
            "-I",
            NAMESPACE,
            "-n",
            NAMESPACE,
        ]
        words += ["-s", os.path.join(folder, SIGNATURE)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = process.communicate(sums)
    said = (out + err).decode("utf-8", "replace").strip()
    if process.returncode and re.search(r"unknown option|illegal option|usage:", said):
        raise Unseen("this ssh-keygen is older than OpenSSH 8.0. The kit names {}".format(mark))
    if process.returncode:
        raise ValueError("{}: is not the signature of {} by {}".format(SIGNATURE, SUMS, mark))
    return mark


def arguments():
    parser = argparse.ArgumentParser(
        description="Is every file of this kit as it was written, and who signed it?"
    )
    parser.add_argument(
        "kit", nargs="?", default=os.path.dirname(os.path.abspath(__file__)), help="directory or archive"
    )
    parser.add_argument(
        "--fingerprint",
        default=os.environ.get("KIT_FINGERPRINT", ""),
        metavar="SHA256:...",
        help="of the key that you wrote down; a kit that is not signed with it is refused",
    )
    return parser.parse_args()


def say(line):
    """Print *line*; what a name has that is no UTF-8, or would move the cursor, as \\xe9 and \\x1b."""
    strange = "[\x00-\x1f\x7f-\x9f\udc80-\udcff]"
    print(re.sub(strange, lambda found: "\\x{:02x}".format(ord(found.group()) & 0xFF), line))


def main():
    # what stdout cannot take is spelt out: a locale of ASCII alone must not hide what is damaged
    encoding = sys.stdout.encoding
    sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding, "backslashreplace", line_buffering=True)
    given = arguments()
    if not os.path.exists(given.kit):
        say("{} is not there".format(given.kit))
        return 1
    kit = Folder(given.kit) if os.path.isdir(given.kit) else Archive(given.kit)
    if isinstance(kit, Archive) and not kit.found and not os.path.exists(given.kit + ".sha256"):
        say(kit.faults[0] if kit.faults else "{} is empty".format(kit.name))
        return 1
    if isinstance(kit, Folder) and kit.missing():
        say(kit.missing())
        return 1
    found, told, unseen = problems(kit), "", False
    try:
        mark = signer(kit)
        if given.fingerprint and mark != given.fingerprint:
            found.append(
                "{}: signed {}, not by {}".format(
                    SIGNATURE, "by " + mark if mark else "by nobody", given.fingerprint
                )
            )
        told = "signed by {}".format(mark) if mark else "nobody signed it"
        if mark and not given.fingerprint:
            told += "; compare that with the fingerprint that you wrote down"
    except ValueError as error:
        found.append(str(error))
    except Unseen as why:
        told, unseen = "the signature was not looked at: {}".format(why), bool(given.fingerprint)
    for line in found:
        say(line)
    if not found:
        say("every file is as it was written")
    if told:
        say(told)
    return 1 if found else 2 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
