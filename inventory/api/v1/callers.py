"""Who calls, and whether that one may do X at site Y: the same question for a token and for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from inventory import permissions
from inventory.api.answers import Refused
from inventory.api.auth import MAKE_ONE, Reader, token_of
from inventory.api.v1.problems import Problem
from inventory.levels import permissions_of_scope
from inventory.models import Site, Token
from inventory.permissions import site_of


@dataclass(frozen=True)
class Caller:
    """The bearer of a token, or a member of staff who is signed in."""

    token: Token | None = None
    user: Any = None

    def __str__(self) -> str:
        return f"token {self.token}" if self.token else str(self.user)

    @property
    def by(self) -> Any:
        """As the door wants it."""
        return self.user if self.token is None else str(self)

    @property
    def key(self) -> str:
        """Tells callers apart, whatever they are called."""
        return f"token:{self.token.pk}" if self.token else f"user:{self.user.pk}"

    def sites_where(self, permission: str) -> frozenset[int] | None:
        """The ids of the sites at which the caller has *permission*; None: all, those to come included."""
        if self.token is None:
            return permissions.sites_where(self.user, permission) if self.user.is_staff else frozenset()
        if permission not in permissions_of_scope(self.token.scope):
            return frozenset()
        return frozenset({self.token.site_id}) if self.token.site_id else None

    def may(self, permission: str, where: Any = None) -> bool:
        """True if the caller has *permission* at *where*: a Site, a row, a site's id; None: anywhere."""
        sites = self.sites_where(permission)
        if sites is None:
            return True
        return bool(sites) if where is None else site_of(where) in sites

    def within(self, rows: QuerySet[Any], permission: str, path: str = "site") -> QuerySet[Any]:
        """Those of *rows* at whose site the caller has *permission*; an empty *path*: the rows are sites."""
        sites = self.sites_where(permission)
        return rows if sites is None else rows.filter(**{f"{path}__in" if path else "pk__in": sites})

    def require(self, permission: str, where: Any = None) -> None:
        """Raise Problem (403) without *permission* at *where*."""
        if self.may(permission, where):
            return
        place = f" at {where}" if isinstance(where, Site) else ""
        raise Problem(403, f"{self} lacks the permission {permission}{place}. {self._way_out}")

    def require_everywhere(self, permission: str) -> None:
        """Raise Problem (403) unless the caller has *permission* for every site, those to come included."""
        if self.sites_where(permission) is not None:
            raise Problem(403, f"{self} lacks the permission {permission} for every site. {self._way_out}")

    @property
    def _way_out(self) -> str:
        if self.token is None:
            return "An administrator can grant it."
        scope = self.token.scope
        where = f"site {self.token.site}" if self.token.site_id else "every site"
        return f"The token has the scope {scope} for {where}; an administrator makes another."


def caller_of(request: Request) -> Caller:
    caller: Any = request.auth
    return cast(Caller, caller)


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer …``. Django's user stays anonymous: history names the token by the door's words."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        given = request.headers.get("Authorization", "")
        if not given:
            return None
        token = token_of(given)
        if token.formats:
            only = ", ".join(token.formats)
            raise Refused(
                403, f"Token “{token}” reads the exports {only} alone; the API takes a token without formats."
            )
        Reader(token=token).note(token.last_etag)
        return AnonymousUser(), Caller(token=token)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="mgmtplane"'


class PersonAuthentication(SessionAuthentication):
    """The session of the admin; whoever writes with it sends its CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        found = super().authenticate(request)
        return (found[0], Caller(user=found[0])) if found else None

    def enforce_csrf(self, request: Any) -> None:
        try:
            super().enforce_csrf(request)
        except Exception as error:
            raise Problem(
                403, f"{error} With a session, send its CSRF token as X-CSRFToken; or use a token."
            ) from None


class IsKnown(BasePermission):
    """Somebody showed who they are; what they may is asked at the site of the row."""

    message = f"Give “Authorization: Bearer <token>”, or sign in; {MAKE_ONE}."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Caller)
