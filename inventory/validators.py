"""What a person may type into one field; each error says what would be right."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from inventory import host_keys, specs, vault
from inventory.addressing import canonical_address, canonical_network
from inventory.identity import HEX_OCTET, dns_name, label_problem
from mgmtplane import own_secrets

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,252}\Z")
_BOOT_FILE = re.compile(r"[!-~]{1,127}\Z")


def site_slug(value: str) -> None:
    if not _SLUG.match(value):
        raise ValidationError(
            f"“{value}” cannot be a DNS label; use lower-case letters and digits, such as dvntm."
        )


def domain_name(value: str) -> None:
    if dns_name(value) != value or len(value) > 253:
        raise ValidationError(f"“{value}” is not a domain name; write one such as example.net.")


def hex_octet(value: str) -> None:
    if not HEX_OCTET.match(value):
        raise ValidationError(f"“{value}” is not one octet; write two lower-case hex digits, such as de.")


def label(value: str) -> None:
    if problem := label_problem(value):
        raise ValidationError(problem)


def group_name(value: str) -> None:
    if value in ("all", "ungrouped"):
        raise ValidationError(f"“{value}” exists in every inventory; its variables belong to the site.")
    if not _GROUP.match(value):
        raise ValidationError(f"“{value}” is not a group name; use letters, digits and underscores.")


def network(value: str) -> None:
    try:
        canonical_network(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def ip_list(value: Any) -> None:
    """A list of IP addresses of either family."""
    if not isinstance(value, list):
        raise ValidationError('Write a list of addresses, such as ["10.20.99.1"].')
    for item in value:
        try:
            canonical_address(item)
        except (ValueError, AttributeError) as error:
            raise ValidationError(
                str(error) if isinstance(item, str) else f"“{item}” is not an IP address."
            ) from None


#: Stands for the address that the MAC gives in the segment's /64 (RFC 4291, appendix A).
EUI64 = "eui64"


def ipv6_list(value: Any) -> None:
    """A list of IPv6 addresses; ``eui64`` among them is derived when the row is cleaned."""
    addresses = [item for item in value if item != EUI64] if isinstance(value, list) else value
    ip_list(addresses)
    for item in addresses:
        if ipaddress.ip_address(item).version != 6:
            raise ValidationError(f"“{item}” is not an IPv6 address; the IPv4 address has its own field.")


def domain_list(value: Any) -> None:
    if not isinstance(value, list):
        raise ValidationError('Write a list of domains, such as ["example.net"].')
    for item in value:
        if not isinstance(item, str):
            raise ValidationError(f"“{item}” is not a domain name.")
        domain_name(item)


def range_list(value: Any) -> None:
    """A list of ``[first, last]`` pairs."""
    if not isinstance(value, list):
        raise ValidationError('Write a list of ranges, such as [["10.20.99.60", "10.20.99.69"]].')
    for item in value:
        try:
            first, last = (ipaddress.ip_address(text) for text in item)
            backwards = first.version != last.version or int(first) > int(last)
        except (ValueError, TypeError):
            raise ValidationError(f"“{item}” is not a pair of first and last address.") from None
        if backwards:
            raise ValidationError(f"“{item}” ends before it begins.")


def mapping(value: Any) -> None:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValidationError('Write a mapping of names to values, such as {"ntp_server": "10.20.99.1"}.')
    _check_vaults(value)


def _check_vaults(value: Any) -> None:
    """What a person marks as sealed must be sealed, or a secret would be stored in plain text."""
    if isinstance(value, dict):
        if "__ansible_vault" in value:
            try:
                vault.check(str(value["__ansible_vault"]))
            except vault.VaultError:
                raise ValidationError(
                    "A !vault value is not ciphertext; seal it with ansible-vault encrypt_string and paste the result."
                ) from None
        for inner in value.values():
            _check_vaults(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_vaults(inner)


def boot_file(value: str) -> None:
    if not _BOOT_FILE.match(value) or any(c in value for c in '"\\,'):
        raise ValidationError(
            f"“{value}” cannot be sent as a boot file; use at most 127 printable ASCII characters "
            "without blank, comma, quote or backslash (RFC 2131, section 2)."
        )


def boot_server(value: str) -> None:
    try:
        ipaddress.IPv4Address(value)
        return
    except ValueError:
        pass
    domain_name(value)


_REFERENCE = re.compile(
    r"(?:env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\x00-\x1f]+|vault:[A-Za-z_][A-Za-z0-9_]*|unlock:[A-Za-z0-9_][A-Za-z0-9_.-]{0,62})\Z"
)
_TOKEN_ID = re.compile(r"[^\s@!:]+@[A-Za-z0-9._-]+![A-Za-z0-9._-]+\Z")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}\Z")


def secret_reference(value: Any) -> None:
    """Where the secret lies, looked up when it is used, or what a person enters and only memory holds (``unlock:NAME``).

    None where this application keeps its own.
    """
    if not isinstance(value, str) or not _REFERENCE.match(value):
        raise ValidationError(
            "This is no reference to a secret; write env:NAME, file:/absolute/path, vault:VARIABLE or unlock:NAME."
        )
    _refuse(own_secrets.problem(value, settings.DATA_DIR))


#: migrations and models know it by this name as well
run_secret = secret_reference


def token_id(value: str) -> None:
    if not _TOKEN_ID.match(value):
        raise ValidationError(
            f"“{value}” is no API token id; write user@realm!name, such as mgmtplane@pve!write."
        )


def sha256_fingerprint(value: str) -> None:
    if not _FINGERPRINT.match(value):
        raise ValidationError("A SHA-256 fingerprint is 32 octets in hex with colons, as Proxmox shows it.")


def disk_serial(value: str) -> None:
    _refuse(specs.serial_problem(value))


def template_prefix(value: str) -> None:
    _refuse(specs.template_problem(value))


def user_name(value: str) -> None:
    _refuse(specs.user_problem(value))


def ssh_public_keys(value: str) -> None:
    """Public keys, a line each."""
    _refuse(specs.keys_problem(value))


def ssh_host_keys(value: str) -> None:
    """Public host keys, a line each; lines of known_hosts as well."""
    _refuse(host_keys.problem(value))


def _refuse(problem: str) -> None:
    if problem:
        raise ValidationError(problem)


def https_url(value: str) -> None:
    parts = urlsplit(value)
    try:
        wrong = parts.scheme != "https" or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError(
            f"“{value}” is no address of an API; write https://name-or-address:port, without user and password."
        )
