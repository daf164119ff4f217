"""Boot files: for the machines that declare a boot and for no other, the same for each loader."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.exports import get_export
from inventory.exports.registry import Document
from inventory.snapshot import GroupFacts, Snapshot
from tests.components import require
from tests.exports import expected
from tests.exports.boot_readers import read_grub, read_ipxe, read_pxelinux
from tests.exports.client_site import CLIENTS, FEDORA
from tests.exports.example_site import SITE, host, interface
from tests.exports.sites import examples, snapshots, texts

pytestmark = pytest.mark.timeout(1800)
MAC = "02:de:10:03:00:01"
DASHED, RAW = MAC.replace(":", "-"), MAC.replace(":", "")


def booting(declared: object = None, **more) -> Snapshot:
    variables = {} if declared is None else {"mgmtplane_pxe": declared}
    card = interface("pi01", "eth0", MAC, "management", "192.0.2.11", **more)
    return replace(SITE, hosts=(replace(host("pi01", card), variables=variables),))


def rendered(site: Snapshot, authority=None) -> Document:
    return get_export("pxe").render(site, authority)


def said(site: Snapshot, rule: str = "pxe-unclear") -> list[str]:
    return [f.message for f in rendered(site).findings if f.id == rule]


def read(document: Document, mac: str) -> dict[str, object]:
    """What each loader boots; every spelling of a name has the same content."""
    dashed, raw = mac.replace(":", "-"), mac.replace(":", "")
    groups = {
        "pxelinux": (read_pxelinux, [f"pxelinux.cfg/01-{dashed}"]),
        "grub": (
            read_grub,
            [f"grub.cfg-{x}" for x in (f"01-{dashed}", f"01-{dashed.upper()}", dashed, dashed.upper())],
        ),
        "ipxe": (
            read_ipxe,
            [f"{x}.ipxe" for x in (f"mac-{raw}", f"mac-{dashed}", f"MAC-{raw}", raw, dashed, f"01-{dashed}")],
        ),
    }
    found = {}
    for loader, (reader, names) in groups.items():
        contents = {document.files.get(name) for name in names}
        assert len(contents) == 1
        (content,) = contents
        if content is not None:
            found[loader] = reader(content.decode("ascii"))
    return found


def macs(document: Document) -> set[str]:
    """The MACs in all names of files: their last twelve digits."""
    names = [name.lower().removesuffix(".ipxe").replace("-", "") for name in document.files]
    return {":".join(re.findall("..", name[-12:])) for name in names if name != "index.txt"}


def test_every_spelling_that_firmware_asks_for_is_there():
    assert set(rendered(booting(FEDORA)).files) == {
        "index.txt",
        f"pxelinux.cfg/01-{DASHED}",
        f"grub.cfg-01-{DASHED}",
        f"grub.cfg-01-{DASHED.upper()}",
        f"grub.cfg-{DASHED}",
        f"grub.cfg-{DASHED.upper()}",
        f"mac-{RAW}.ipxe",
        f"mac-{DASHED}.ipxe",
        f"MAC-{RAW}.ipxe",
        f"{RAW}.ipxe",
        f"{DASHED}.ipxe",
        f"01-{DASHED}.ipxe",
    }


def test_all_loaders_boot_the_declared_kernel():
    wanted = ("fedora/43/vmlinuz", ("fedora/43/initrd.img",), tuple(FEDORA["args"].split()))
    assert read(rendered(booting(FEDORA)), MAC) == dict.fromkeys(("pxelinux", "grub", "ipxe"), wanted)


def test_a_kernel_may_come_by_http_and_initrds_may_be_several():
    declared = {
        "kernel": "http://192.0.2.5/k",
        "initrd": ["tftp://192.0.2.5/a", "b"],
        "args": ["a b", "c=d,e"],
    }
    wanted = ("http://192.0.2.5/k", ("tftp://192.0.2.5/a", "b"), ("a", "b", "c=d,e"))
    assert read(rendered(booting(declared)), MAC) == dict.fromkeys(("pxelinux", "grub", "ipxe"), wanted)


def test_https_is_for_ipxe_alone_and_it_is_said():
    site = booting({"kernel": "https://192.0.2.5/k"})
    assert set(read(rendered(site), MAC)) == {"ipxe"}
    assert len(said(site, "format-limit")) == 2


def test_a_machine_may_boot_from_its_disk():
    assert read(rendered(booting({"local": True})), MAC) == dict.fromkeys(
        ("pxelinux", "grub", "ipxe"), "disk"
    )


@pytest.mark.parametrize(
    ("file", "loaders"),
    [
        ("ipxe.efi", {"grub"}),
        ("pxelinux.0", {"ipxe"}),
        ("grubx64.efi", {"ipxe"}),
        ("undionly.kpxe", {"pxelinux"}),
        ("vendor/nbp.0", {"pxelinux", "ipxe"}),
        ("vendor/nbp.efi", {"grub", "ipxe"}),
    ],
)
def test_a_boot_file_is_handed_on_by_other_loaders_and_never_by_its_own_kind(file, loaders):
    """PXELINUX that is told to load PXELINUX asks for its file again, for ever."""
    site = booting(pxe_server="192.0.2.95", pxe_file=file)
    assert read(rendered(site), MAC) == dict.fromkeys(loaders, file)


def test_in_bootstrap_mode_the_boot_server_is_the_bootstrap_nodes():
    name = "pxelinux.cfg/01-02-de-10-04-00-09"
    assert b"192.0.2.96::undionly.kpxe" in rendered(CLIENTS, "gateway").files[name]
    assert b"192.0.2.95::undionly.kpxe" in rendered(CLIENTS, "bootstrap").files[name]


def test_the_nearest_declaration_counts():
    group = GroupFacts("installs", hosts=("pi01",), variables={"mgmtplane_pxe": FEDORA})
    assert set(read(rendered(replace(booting(), groups=(group,))), MAC)) == {"pxelinux", "grub", "ipxe"}
    nothing = replace(booting({}), groups=(group,))
    assert set(rendered(nothing).files) == {"index.txt"}
    card = interface("pi01", "eth0", MAC, None, None, variables={"mgmtplane_pxe": {"local": True}})
    own = replace(nothing, hosts=(host("pi01", card),))
    assert set(read(rendered(own), MAC).values()) == {"disk"}


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("{{ x }}", "no mapping"),
        ({"kernel": "a b"}, "no plain path"),
        ({"kernel": "../../etc/shadow"}, "no plain path"),
        ({"kernel": "{{ x }}/vmlinuz"}, "no plain path"),
        ({"kernel": "-x"}, "no plain path"),
        ({"initrd": "a"}, "no plain path"),
        ({"kernel": "k", "initrd": "a,b"}, "no plain path"),
        ({"kernel": "k", "args": 'a="b"'}, "own syntax"),
        ({"kernel": "k", "args": "a ; b"}, "own syntax"),
        ({"kernel": "k", "args": "x=${net0/mac}"}, "own syntax"),
        ({"kernel": "k", "args": "x={{ y }}"}, "own syntax"),
        ({"kernel": "k", "args": "x" * 2000}, "more than 1900"),
        ({"kernel": "k", "args": {"a": 1}}, "no text"),
        ({"kernel": "k", "append": "a"}, "means nothing"),
        ({"kernel": "k", "local": True}, "stands alone"),
    ],
)
def test_what_a_loader_would_misread_has_no_file_and_is_said(declared, words):
    site = booting(declared)
    assert set(rendered(site).files) == {"index.txt"}
    assert words in said(site)[0]


def test_newlines_in_arguments_are_blanks():
    assert read(rendered(booting({"kernel": "k", "args": "a\nboot\r\n b"})), MAC)["ipxe"][2] == (
        "a",
        "boot",
        "b",
    )


def test_a_machine_without_a_mac_has_no_file_and_it_is_said():
    card = interface("pi01", "eth0", None, "management", "192.0.2.11")
    site = replace(SITE, hosts=(replace(host("pi01", card), variables={"mgmtplane_pxe": FEDORA}),))
    assert set(rendered(site).files) == {"index.txt"}
    assert "its MAC is unknown" in said(site)[0]


def test_interfaces_that_share_a_mac_and_want_different_things_are_said():
    one = interface(
        "a", "bond0", MAC, "management", "192.0.2.11", variables={"mgmtplane_pxe": {"local": True}}
    )
    two = interface("a", "eth0", MAC, None, None, variables={"mgmtplane_pxe": FEDORA})
    site = replace(SITE, hosts=(host("a", one, two),))
    assert read(rendered(site), MAC)["grub"] == "disk"
    assert "boots something else" in said(site)[0]


@st.composite
def sites_that_boot(draw) -> Snapshot:
    site = draw(snapshots())
    values = st.sampled_from(
        (FEDORA, {"local": True}, {"kernel": "k"}, {}, "x", {"kernel": "k", "args": "a;b c"}, None)
    ) | st.fixed_dictionaries({"kernel": texts | st.just("k"), "args": texts | st.lists(texts, max_size=2)})
    return replace(
        site,
        hosts=tuple(replace(h, variables={"mgmtplane_pxe": draw(values)}) for h in site.hosts),
    )


@examples()
@given(site=sites_that_boot(), mode=st.sampled_from((None, "bootstrap")))
def test_only_known_undisputed_live_macs_have_files_and_each_file_reads_back(site, mode):
    document = rendered(site, mode)
    claimed = expected.claims(site)
    usable = {
        i.mac for h in expected.live(site) for i in h.interfaces if i.mac and len(claimed["mac", i.mac]) == 1
    }
    found = macs(document)
    assert found <= usable
    for mac in found:
        loaders = read(document, mac)
        kernels = {what for what in loaders.values() if isinstance(what, tuple)}
        assert len(kernels) <= 1, "every loader boots the same"
    subjects = {f.subject for f in document.findings}
    for machine in expected.live(site):
        declared = machine.variables["mgmtplane_pxe"]
        if declared and machine.primary is not None:
            card = machine.primary
            assert {f"MAC {card.mac}", card.subject} & subjects or card.mac in found


@examples(20)
@given(site=sites_that_boot())
def test_grub_itself_reads_every_file(site):
    require("grub-script-check", package="grub-common")
    for name, content in rendered(site).files.items():
        if name.startswith("grub.cfg-01"):
            checked = subprocess.run(["grub-script-check"], input=content, capture_output=True, check=False)
            assert checked.returncode == 0, checked.stderr
