"""What readers get while the database is away: the newest renderings that went out, for the tokens that were known.

Two kinds of files in ``DATA_DIR/mirror``, its owner's alone. ``tokens.json`` has every token as the hash that the database
has too; it is written when a token is used that it does not have, when one is refused, and every minute by workers and by
a web server that is read. ``<site>/<format>[@authority].json`` is what HTTP says of a rendering; its content lies among
the renderings as ever. A token that is revoked is known here for another minute at most, as long as somebody reaches the
database; who wants it gone at once removes the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from inventory.exports.registry import get_export
from inventory.findings import Finding
from inventory.serving import contents, database
from inventory.serving.renderings import Kept, Served, variant_of
from inventory.snapshot import AuthorityMode

log = logging.getLogger(__name__)

#: seconds for which nobody asks the database again after it did not answer: each would wait for it as long as the first
PAUSE = 5.0

#: seconds that the one has who tries after that
TRIAL = 30.0

#: seconds between two looks of a process at the tokens
KEEP_EVERY = 60.0

TOKENS = "tokens.json"

_written: dict[str, str] = {}
_met: set[str] = set()
_kept_at = float("-inf")
_away = False
_away_until = 0.0
_lock = threading.Lock()
_keeping = threading.Lock()
_writing = threading.Lock()


@dataclass(frozen=True)
class KnownToken:
    """A token as the mirror has it."""

    name: str
    site: str | None
    formats: tuple[str, ...]

    def may(self, site: str, format: str) -> bool:
        return self.site in (None, site) and (not self.formats or format in self.formats)


@dataclass(frozen=True)
class Mirrored:
    """A rendering with what is said of it."""

    kept: Kept
    standing: str


# --- while the database answers ---


def keep(kept: Kept, authority: AuthorityMode | None, standing: str = "") -> None:
    """Remember that *kept* is the newest of its kind; writes a file when it is another than the last. Never fails."""
    place = _place(kept.slug, kept.format, authority)
    if place is None or (_written.get(str(place)) == kept.etag and place.exists()):
        return
    if not contents.path_of(kept.sha256).exists():  # no room for it: what went out before can still be served
        return
    facts = {
        "site_id": kept.site_id,
        "uid": kept.uid,
        "slug": kept.slug,
        "format": kept.format,
        "variant": kept.variant,
        "revision": kept.revision,
        "sha256": kept.sha256,
        "size": kept.size,
        "findings": [finding.as_dict() for finding in kept.findings],
        "created": kept.created.isoformat(),
        "epoch": kept.epoch,
        "live_copy": kept.live_copy,
        "standing": standing,
    }
    if _write(place, facts):
        _written[str(place)] = kept.etag


def meet(token: Any) -> None:
    """A token was used: write it down with the others, unless it was among them before. No query; never fails."""
    if token.digest in _met:
        return
    with _tokens() as known:
        if known is not None and _write(_folder() / TOKENS, {**known, token.digest: _said_of(token)}):
            _met.add(token.digest)


def drop(digest: str) -> None:
    """The database does not know this token, or it expired: it is good for nothing here either."""
    if digest not in _found(_folder() / TOKENS) or _is_new():
        return
    with _tokens() as known:
        if known is not None and known.pop(digest, None) is not None:
            _write(_folder() / TOKENS, known)
    _met.discard(digest)


def keep_when_due() -> None:
    """Every minute the tokens as they are, without what is of sites that are gone: part of each sweep of a worker."""
    global _kept_at
    if not _is_due():
        return
    _kept_at = time.monotonic()
    if _is_new():
        return
    from inventory.models import Site

    keep_tokens()
    forget_all_but(set(Site.objects.values_list("slug", flat=True)))


def keep_beside() -> None:
    """The same of a web server, which may have no worker beside it: in a thread, so that no reader waits for it."""
    if not _is_due() or connection.in_atomic_block or not _keeping.acquire(blocking=False):
        return
    threading.Thread(target=_keep_once, name="mirror", daemon=True).start()


def _keep_once() -> None:
    try:
        database.reach()
        with database.impatient():
            keep_when_due()
    except (DatabaseError, OSError) as error:
        log.warning("the tokens are not mirrored: %s", type(error).__name__)
    finally:
        connection.close()
        _keeping.release()


def _is_due() -> bool:
    return time.monotonic() >= _kept_at + KEEP_EVERY


def _is_new() -> bool:
    """Whether the database has nothing yet, perhaps because the old one's disk is not there: what went out before stays."""
    from inventory.models import Change, Site, Token

    return not (Site.objects.exists() or Token.objects.exists() or Change.objects.exists())


def keep_tokens() -> int:
    """Write down every token that is valid, where they are others than before; how many."""
    from inventory.models import Token

    rows = Token.objects.select_related("site").order_by("digest")
    known = {token.digest: _said_of(token) for token in rows if token.digest and not token.is_expired}
    with _tokens() as before:
        if known != before:
            _write(_folder() / TOKENS, known)
    _met.clear()
    _met.update(known)
    return len(known)


def _said_of(token: Any) -> dict[str, Any]:
    return {
        "name": token.name,
        "site": token.site.slug if token.site else None,
        "formats": list(token.formats),
        "expires": token.expires.isoformat() if token.expires else None,
    }


def forget_all_but(slugs: set[str]) -> int:
    """Remove what is mirrored of sites that are gone; how many files."""
    gone = [path for path in _folder().glob("*/*.json") if path.parent.name not in slugs]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def forget() -> None:
    """What this process remembers, for tests."""
    global _away, _away_until, _kept_at
    _written.clear()
    _met.clear()
    _away, _away_until = False, 0.0
    _kept_at = time.monotonic()


# --- while it does not ---


def is_away() -> bool:
    """Whether the database did not answer just now, so that nobody asks it again for a moment.

    After that moment one request is told no, and tries; the others go on without until ``note_back``, or until that one
    had TRIAL seconds.
    """
    global _away_until
    with _lock:
        if not _away or time.monotonic() < _away_until:
            return _away
        _away_until = time.monotonic() + TRIAL
        return False


def in_doubt() -> bool:
    """Whether it did not answer when it was asked last."""
    return _away


def note_back() -> None:
    """It answered."""
    global _away
    _away = False


def note_away() -> None:
    global _away, _away_until
    with _lock:
        _away, _away_until = True, time.monotonic() + PAUSE


def token(digest: str) -> KnownToken | None:
    """The valid token of this hash."""
    for known, facts in _found(_folder() / TOKENS).items():
        if hmac.compare_digest(known, digest) and not _expired(facts.get("expires")):
            return KnownToken(facts["name"], facts["site"], tuple(facts["formats"]))
    return None


def newest(site: str, format: str, authority: AuthorityMode | None) -> Mirrored | None:
    """What went out last of this kind."""
    place = _place(site, format, authority)
    facts = _found(place) if place is not None else {}
    if not facts:
        return None
    kept = Kept(
        **{
            name: facts[name]
            for name in ("site_id", "uid", "slug", "format", "variant", "revision", "sha256", "size")
        },
        findings=tuple(Finding(**finding) for finding in facts["findings"]),
        created=datetime.fromisoformat(facts["created"]),
        epoch=facts.get("epoch", 1),
        live_copy=facts.get("live_copy", ""),
    )
    return Mirrored(kept, facts["standing"])


def body_of(kept: Kept) -> Served | None:
    """The content of a mirrored rendering; None where it is lost."""
    export = get_export(kept.format)
    try:
        content, packed = contents.read(kept.sha256)
    except contents.Lost:
        return None
    return Served(
        etag=kept.etag,
        body=packed if export.is_directory else content,
        content_type="application/gzip" if export.is_directory else export.content_type,
        filename=f"{kept.slug}-{kept.format}.tar.gz" if export.is_directory else export.filename,
        findings=kept.findings,
        revision=kept.revision,
        created=kept.created,
    )


# --- files ---


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "mirror"


def _place(site: str, format: str, authority: AuthorityMode | None) -> Path | None:
    """Where it is written down; None for a name that could lead elsewhere."""
    if not site or not all(part.isalnum() or part in "-_" for part in site + format):
        return None
    variant = variant_of(authority)
    return _folder() / site / f"{format}{'@' + authority if variant and authority else ''}.json"


def _expired(expires: str | None) -> bool:
    return expires is not None and datetime.fromisoformat(expires) <= timezone.now()


@contextlib.contextmanager
def _tokens() -> Iterator[dict[str, Any] | None]:
    """The tokens as they are written down, while no other thread or process writes them; None where that is not known.

    What cannot be read just now, as for want of a descriptor, is not replaced by the one token that somebody uses.
    """
    place = _folder() / TOKENS
    with contextlib.ExitStack() as held:
        held.enter_context(_writing)
        known: dict[str, Any] | None = None
        try:
            _folder().mkdir(mode=0o700, exist_ok=True)
            turn = os.open(place.with_name(f".{TOKENS}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
            held.callback(os.close, turn)
            fcntl.flock(turn, fcntl.LOCK_EX)
            known = _read(place)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read: %s", place.name, type(error).__name__)
        yield known


def _read(place: Path) -> dict[str, Any]:
    """What is written down; nothing where there is no file. Raises OSError, and ValueError for what is no JSON."""
    try:
        found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _found(place: Path) -> dict[str, Any]:
    """The same for a reader: what cannot be read is not there."""
    try:
        return _read(place)
    except (OSError, ValueError):
        return {}


def _write(place: Path, facts: Mapping[str, Any]) -> bool:
    """Replace the file in one step; a full disk takes nothing away that was there."""
    try:
        with _draft(place) as draft:
            draft.write_text(json.dumps(facts, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    except OSError as error:
        log.warning("%s is not mirrored: %s", place.name, error.strerror)
        return False
    return True


@contextlib.contextmanager
def _draft(place: Path) -> Iterator[Path]:
    for folder in (place.parent.parent, place.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        draft.touch(0o600)
        yield draft
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
