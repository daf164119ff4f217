"""Who reads: the bearer of a token, or a member of staff who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from inventory.api.answers import Refused
from inventory.models import Token
from inventory.permissions import may, sites_where, visible_sites
from inventory.serving import mirror
from inventory.serving.best_effort import best_effort

#: A token's use is written down when its bearer gets something new, else this often.
NOTE_EVERY = timedelta(minutes=1)

#: what a person who reads with a session needs, at the site that is read
READING = "inventory.view_host"

MAKE_ONE = "an administrator makes one with: manage.py token create NAME"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who showed who they are."""

    token: Token | None = None
    user: Any = None

    @property
    def sites(self) -> frozenset[str] | None:
        """The slugs of the sites this reader may see; None for all, those to come included."""
        if self.token is not None:
            return frozenset({self.token.site.slug}) if self.token.site else None
        if sites_where(self.user, READING) is None:
            return None
        return frozenset(visible_sites(self.user, READING).values_list("slug", flat=True))

    def require(self, site: str, format: str) -> None:
        """Raise Refused (403) unless this reader may have *format* of *site*, be there such things or not."""
        sites = self.sites
        if self.token is None:
            if sites is not None and site not in sites:
                raise Refused(
                    403, f"{self.user} may see hosts at {', '.join(sorted(sites))}, not at “{site}”."
                )
            return
        if sites is not None and site not in sites:
            raise Refused(403, f"Token “{self.token}” reads site {self.token.site} alone, not “{site}”.")
        if self.token.formats and format not in self.token.formats:
            allowed = ", ".join(self.token.formats)
            raise Refused(403, f"Token “{self.token}” reads {allowed}, not “{format}”.")

    def note(self, etag: str) -> None:
        """Remember that the token was used and what it got."""
        if self.token is None:
            return
        now = timezone.now()
        used = self.token.last_used
        if self.token.last_etag == etag and used is not None and now - used < NOTE_EVERY:
            return
        with best_effort("use of a token"):
            Token.objects.filter(pk=self.token.pk).update(last_used=now, last_etag=etag)


def reader_of(request: HttpRequest) -> Reader:
    """One query. Raises Refused: 401 without valid credentials, 403 for a person without the permission."""
    given = request.headers.get("Authorization", "")
    if given:
        return Reader(token=token_of(given))
    return Reader(user=_user(request))


def token_of(given: str) -> Token:
    """The token that the header Authorization carries. One query. Raises Refused (401); the mirror forgets such a one."""
    scheme, _, plain = given.partition(" ")
    if scheme.lower() != "bearer" or not plain.strip():
        raise _unauthorized("Give “Authorization: Bearer <token>”", 'error="invalid_request"')
    digest = Token.digest_of(plain.strip())
    found = (
        Token.objects.select_related("site")
        .only("name", "digest", "formats", "scope", "expires", "last_used", "last_etag", "site__slug")
        .filter(digest=digest)
        .first()
    )
    if found is None or found.is_expired:
        mirror.drop(digest)
    if found is None:
        raise _unauthorized("This token is not known, or was revoked", 'error="invalid_token"')
    if found.is_expired:
        raise _unauthorized(f"Token “{found}” expired on {found.expires:%Y-%m-%d}", 'error="invalid_token"')
    return found


def _user(request: HttpRequest) -> Any:
    user: Any = request.user
    if not user.is_authenticated:
        raise _unauthorized("Give “Authorization: Bearer <token>”, or sign in")
    if not user.is_staff or not may(user, READING):
        raise Refused(
            403, f"{user} may not see hosts; an administrator can grant “view host” and staff status."
        )
    return user


def _unauthorized(sentence: str, challenge: str = "") -> Refused:
    header = f'Bearer realm="mgmtplane"{", " + challenge if challenge else ""}'
    return Refused(401, f"{sentence}; {MAKE_ONE}.", headers={"WWW-Authenticate": header})
