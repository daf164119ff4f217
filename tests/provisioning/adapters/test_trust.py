"""Whom we talk to, what they hear of us, and what nobody else may hear."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import sys
import threading
import traceback

import pytest

from provisioning.adapters.base import AdapterError, Refused, Unreachable, Untrusted
from tests.provisioning.pve.certificates import make_certificate
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN

PASSWORD = "hunter" + "2"


def test_a_certificate_by_its_fingerprint(pve):
    assert pve.reader(ca_file="", fingerprint=pve.fingerprint).version().major == 9
    assert pve.reader(fingerprint=pve.fingerprint.replace(":", "").lower()).version().major == 9


def test_a_ca_without_key_usage_is_good_enough_and_a_fingerprint_alone_asks_no_ca(pve):
    for changes, mode in (
        ({}, ssl.CERT_REQUIRED),
        ({"ca_file": "", "fingerprint": pve.fingerprint}, ssl.CERT_NONE),
    ):
        session = pve.reader(**changes).wire._session()
        context = session.get_adapter("https://").poolmanager.connection_pool_kw["ssl_context"]
        assert context.verify_mode == mode and not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_ca_and_fingerprint_must_both_fit(pve, tmp_path):
    other, _ = make_certificate(tmp_path, ["localhost"], ["127.0.0.1"])
    assert pve.reader(fingerprint=pve.fingerprint).version().major == 9
    with pytest.raises(Untrusted):
        pve.reader(ca_file=str(other), fingerprint=pve.fingerprint).version()


@pytest.mark.parametrize(
    "changes", [{"fingerprint": "AB:" * 31 + "AB"}, {"ca_file": ""}, {"ca_file": "/nowhere.pem"}]
)
def test_another_certificate_ends_it_before_anything_is_sent(pve, changes):
    proxmox = pve.proxmox(**changes)
    for call in (proxmox.version, lambda: proxmox.start(100)):
        with pytest.raises(Untrusted) as raised:
            call()
        assert not raised.value.retryable and not raised.value.maybe_done
    assert pve.requests() == []


def test_a_name_that_the_certificate_does_not_bear(pve):
    with pytest.raises(Untrusted):
        pve.reader(url=pve.url.replace("127.0.0.1", "127.1")).version()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8006", "127.0.0.1:8006", "https://", "https://user:word@127.0.0.1"]
)
def test_nothing_is_sent_in_the_clear_or_to_nobody(pve, url):
    with pytest.raises(Refused, match="no https:// address"):
        pve.access(url=url)


def test_nobody_there_is_unreachable_for_writes_as_well(pve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    for call in (pve.proxmox(url=url).version, lambda: pve.proxmox(url=url).start(100)):
        with pytest.raises(Unreachable, match="nothing listens there") as raised:
            call()
        assert raised.value.retryable and not raised.value.maybe_done


def test_a_name_that_is_not_known_is_unreachable(pve):
    with pytest.raises(Unreachable, match="name is not known"):
        pve.reader(url="https://hv99.invalid:8006").version()


def test_a_server_that_speaks_no_tls_gets_no_token(pve):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_answer_in_the_clear, args=(listening, heard), daemon=True)
        thread.start()
        with pytest.raises(AdapterError):
            pve.reader(url=f"https://127.0.0.1:{listening.getsockname()[1]}").version()
    assert not any(SECRETS[READ_TOKEN].encode() in octets for octets in heard)


def _answer_in_the_clear(listening, heard):
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            heard.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("https://[::1]:8006", "::1", 8006), ("https://hv01.example.net", "hv01.example.net", 8006)],
)
def test_addresses_in_every_form(pve, url, host, port):
    access = pve.access(url=url)
    assert (access.host, access.port) == (host, port)
    assert (
        pve.reader(url=url)
        .wire._resource()
        ._store["base_url"]
        .startswith(f"https://{'[::1]' if host == '::1' else host}:{port}/api2/json")
    )


# --- secrets ---


def test_no_secret_and_no_payload_in_logs_and_errors(pve, caplog):
    secret, key = SECRETS[WRITE_TOKEN], "ssh-ed25519%20AAAAKEY"
    logging.getLogger("proxmoxer").setLevel(logging.DEBUG)
    logging.getLogger("proxmoxer.core").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        proxmox = pve.proxmox()
        proxmox.configure(100, {"sshkeys": key, "cipassword": PASSWORD})
        for fault in ("lost", "reset", "html", "cut"):
            pve.fault(fault, "PUT", "/config")
            with pytest.raises(AdapterError) as raised:
                proxmox.configure(100, {"cipassword": PASSWORD})
            _check_silence(
                "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value)), secret
            )
            assert raised.value.__context__ is None and raised.value.__cause__ is None
    _check_silence(caplog.text, secret, key)
    assert secret not in repr(proxmox.access) + repr(proxmox.__dict__)


def _check_silence(text: str, *secrets: str) -> None:
    for secret in (*secrets, PASSWORD):
        assert secret not in text


def test_a_reason_that_repeats_the_secret_is_not_repeated(pve):
    pve.fault("status", "GET", "/version", status=500, reason=f"invalid header {SECRETS[READ_TOKEN]}")
    with pytest.raises(Refused) as raised:
        pve.reader().version()
    assert SECRETS[READ_TOKEN] not in str(raised.value)


@pytest.mark.parametrize("secret", ["", "two\nlines", "späce"])
def test_a_secret_that_is_none_is_refused_without_being_shown(pve, secret):
    with pytest.raises(Refused, match="check what its reference points at") as raised:
        pve.access(secret=secret)
    assert not secret or secret not in str(raised.value)


def test_importing_the_adapter_leaves_warnings_alone(pve):
    code = (
        "import warnings, requests, urllib3; before = list(warnings.filters);"
        "import provisioning.adapters.proxmox; assert before == warnings.filters, warnings.filters"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_have_a_connection_each(pve):
    proxmox, errors = pve.proxmox(), []

    def look() -> None:
        try:
            for _ in range(10):
                assert proxmox.config(100).get("name") == "opnsense"
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("name", ["../../access", "a/../b", "x\r\nHost: y", ""])
def test_names_cannot_lead_elsewhere(pve, name):
    with pytest.raises(Refused):
        pve.proxmox().volumes(name)
    assert pve.requests() == []
