"""Boot files for GRUB, PXELINUX and iPXE, for the directory that a TFTP or HTTP server gives out. Pure.

Names that firmware asks for:

- PXELINUX: ``pxelinux.cfg/01-aa-bb-cc-dd-ee-ff``, 01 being Ethernet (Syslinux wiki, PXELINUX);
- GRUB: ``grub.cfg-01-aa-bb-…`` (GRUB manual, Network), and as distributions' builds ask: without ``01-``, upper case;
- iPXE: ``mac-aabbcc….ipxe`` and the like, by ``chain mac-${mac:hexraw}.ipxe`` or another spelling of ``${mac}``.

``index.txt`` says in one place which machine boots what, and what is left out: the files themselves stay short.
A directory export removes what it wrote before and does not write any more, so that no file outlives its machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from inventory.exports.pxe.plan import Boot, HandOn, Kernel, plan
from inventory.exports.registry import Document, Export
from inventory.exports.text import header, plain
from inventory.findings import Finding, in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

INDEX = "index.txt"
#: Loaders by the last part of their file's name. One is never handed on to its own kind: it would ask for its file again.
PXELINUX = re.compile(r"(l?pxelinux|gpxelinux|syslinux).*\Z", re.I)
GRUB = re.compile(r"(grub|core|shim|boot(x64|ia32|aa64)|mm(x64|aa64)).*\Z", re.I)
IPXE = re.compile(r"(ipxe|snp|snponly|undionly|netboot\.xyz).*\Z", re.I)


class Inexpressible(ValueError):
    """What this loader cannot do; the message continues “boots from …; ”."""


@dataclass(frozen=True)
class Loader:
    name: str
    #: every name that it asks for, of a MAC in lower case with colons
    names: Callable[[str], Iterable[str]]
    #: the lines of its file; empty where it has none. Raises Inexpressible.
    lines: Callable[[Boot], list[str]]
    first: str = ""


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    boots, findings = plan(snapshot, authority)
    limits: list[Finding] = []
    files: dict[str, bytes] = {}
    for boot in boots:
        for loader in LOADERS:
            try:
                lines = loader.lines(boot)
            except Inexpressible as error:
                limits.append(_limit(boot, loader, str(error)))
                continue
            if lines:
                content = _encode([loader.first, f"# {_word(boot.host)} {_word(boot.interface)}", *lines])
                files |= dict.fromkeys(loader.names(boot.mac), content)
    left_out = in_reading_order([*findings, *limits])
    about = header(snapshot, authority, "boot files by MAC", left_out)
    files[INDEX] = _encode([*about, "", *(f"{b.mac} {plain(b.host)} {_summary(b)}" for b in boots)])
    return Document(files, left_out)


def _encode(lines: Iterable[str]) -> bytes:
    """Boot loaders read lines of any length; what they hold has been looked at."""
    return "".join(f"{line}\n" for line in lines if line).encode("ascii")


def _word(text: str) -> str:
    """*text* for a comment: a backslash at the end of a line would make a loader read on."""
    return re.sub(r"[^A-Za-z0-9._:-]", "_", text)[:200]


def _summary(boot: Boot) -> str:
    match boot.what:
        case Kernel(kernel):
            return f"boots {kernel}"
        case HandOn(server, file):
            return f"is handed on to {file} from {server}"
        case _:
            return "boots from its disk"


def _limit(boot: Boot, loader: Loader, why: str) -> Finding:
    return Finding(
        "format-limit",
        "warning",
        f"interface {boot.host}/{boot.interface}",
        f"has no boot file for {loader.name}: {why}.",
        "Use a path on the boot server, or a loader that can do it.",
    )


# --- PXELINUX ---


def _pxelinux_names(mac: str) -> Iterable[str]:
    yield f"pxelinux.cfg/01-{mac.replace(':', '-')}"


def _pxelinux(boot: Boot) -> list[str]:
    match boot.what:
        case Kernel(kernel, initrd, args):
            lines = ["DEFAULT boot", "PROMPT 0", "LABEL boot", f"  KERNEL {_for_pxelinux(kernel)}"]
            if initrd:
                lines.append(f"  INITRD {','.join(map(_for_pxelinux, initrd))}")
            return [*lines, *([f"  APPEND {' '.join(args)}"] if args else [])]
        case HandOn(server, file):
            if _is(PXELINUX, file) or file.lower().endswith(".efi"):
                return []
            if " " in file:
                raise Inexpressible("a blank in the boot file's name would end it")
            return ["DEFAULT boot", "LABEL boot", "  COM32 pxechn.c32", f"  APPEND {server}::{file}"]
        case _:
            return ["DEFAULT boot", "LABEL boot", "  LOCALBOOT 0"]


def _for_pxelinux(path: str) -> str:
    url = urlsplit(path)
    if url.scheme == "https":
        raise Inexpressible("it speaks no HTTPS")
    if url.scheme == "tftp":
        return f"{url.netloc}::{url.path.lstrip('/')}"
    return path


# --- GRUB ---


def _grub_names(mac: str) -> Iterable[str]:
    dashed = mac.replace(":", "-")
    for spelled in (f"01-{dashed}", f"01-{dashed.upper()}", dashed, dashed.upper()):
        yield f"grub.cfg-{spelled}"


def _grub(boot: Boot) -> list[str]:
    match boot.what:
        case Kernel(kernel, initrd, args):
            quoted = " ".join(f"'{word}'" for word in args)
            lines = ["set timeout=0", "menuentry 'boot' {", f"  linux {_for_grub(kernel)} {quoted}".rstrip()]
            if initrd:
                lines.append(f"  initrd {' '.join(map(_for_grub, initrd))}")
            return [*lines, "}"]
        case HandOn(server, file):
            if _is(GRUB, file) or not file.lower().endswith(".efi"):
                return []
            if "'" in file:
                raise Inexpressible("a quote in the boot file's name would end it")
            return [f"chainloader '(tftp,{server})/{file.lstrip('/')}'", "boot"]
        case _:
            return ["exit"]


def _for_grub(path: str) -> str:
    url = urlsplit(path)
    if url.scheme == "https":
        raise Inexpressible("it speaks no HTTPS")
    if url.scheme:
        return f"'({url.scheme},{url.netloc})/{url.path.lstrip('/')}'"
    return f"'/{path.lstrip('/')}'"


# --- iPXE ---


def _ipxe_names(mac: str) -> Iterable[str]:
    dashed, raw = mac.replace(":", "-"), mac.replace(":", "")
    for name in (f"mac-{raw}", f"mac-{dashed}", f"MAC-{raw}", raw, dashed, f"01-{dashed}"):
        yield f"{name}.ipxe"


def _ipxe(boot: Boot) -> list[str]:
    match boot.what:
        case Kernel(kernel, initrd, args):
            # An EFI kernel finds an initrd by its name on the command line, which elsewhere says nothing.
            named = [f"initrd=initrd{number}" for number in range(len(initrd))]
            lines = [" ".join(["kernel", kernel, *named, *args])]
            lines += [f"initrd --name initrd{number} {path}" for number, path in enumerate(initrd)]
            return [*lines, "boot"]
        case HandOn(server, file):
            if _is(IPXE, file):
                return []
            if set(file) & set("' $#?%"):
                raise Inexpressible("the boot file's name has a character that is none of a URL")
            return [f"chain tftp://{server}/{file.lstrip('/')}"]
        case _:
            return ["exit"]


def _is(kind: re.Pattern[str], file: str) -> bool:
    return bool(kind.match(file.rpartition("/")[2]))


LOADERS = (
    Loader("PXELINUX", _pxelinux_names, _pxelinux),
    Loader("GRUB", _grub_names, _grub),
    Loader("iPXE", _ipxe_names, _ipxe, first="#!ipxe"),
)

EXPORT = Export(
    name="pxe",
    title="PXE boot files",
    purpose="What each machine boots from the network: GRUB, PXELINUX and iPXE files by MAC.",
    content_type="text/plain; charset=utf-8",
    filename="pxe",
    is_directory=True,
    render=render,
)
