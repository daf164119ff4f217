"""The OpenAPI document, told whole: every status that an operation can answer, headers, and examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from inventory.api.v1.examples import EXAMPLES
from inventory.api.v1.problems import CONTENT_TYPE

PREFIX = "/api/v1/"
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. “errors” has the path of each field that is wrong: interfaces.0.mac.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
    "examples": [
        {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "One thing in the request is wrong; nothing was changed.",
            "errors": [
                {"field": "interfaces.0.mac", "message": "“bc:24” is not a MAC address; write six octets."}
            ],
        }
    ],
}
PROBLEMS = {
    "Invalid": "The query string or the body cannot be taken; “errors” has every fault.",
    "Unknown": "No token and no session, or one that is not known or has expired.",
    "Forbidden": "The caller lacks the permission, there or anywhere.",
    "Absent": "There is no such row, or the caller may not see it.",
    "NotAcceptable": "Only JSON is answered.",
    "Conflict": "Somebody else has what was asked for, or what is to be deleted is still used.",
    "Exhausted": "The range is exhausted: “detail” names it. Or the Idempotency-Key is still being answered.",
    "Lost": "If-Match names another state than there is now; nothing was written.",
    "TooLarge": "The body is too large.",
    "NoJSON": "The body is no JSON.",
    "KeyReused": "The Idempotency-Key was sent with another request before.",
    "Fault": "A fault of the application; its log says where.",
    "Away": "The database is away or busy; try again after Retry-After.",
}
NAMES = {
    "400": "Invalid", "401": "Unknown", "403": "Forbidden", "404": "Absent", "406": "NotAcceptable", "409": "Conflict",
    "412": "Lost", "413": "TooLarge", "415": "NoJSON", "422": "KeyReused", "500": "Fault", "503": "Away",
}  # fmt: skip
#: lists whose ETag is weak: the revisions of the sites
WITH_REVISIONS = frozenset(
    (
        "sites", "roles", "authority", "segments", "hosts", "interfaces", "services", "aliases", "groups", "profiles",
        "hypervisors", "machines", "overrides", "schedules", "projects", "templates", "kitplaces",
    )
)  # fmt: skip
ETAG = {"ETag": {"description": "The state of what is answered.", "schema": {"type": "string"}}}


def only_v1(endpoints: list[Any]) -> list[Any]:
    return [one for one in endpoints if one[0].startswith(PREFIX)]


class Bearer(OpenApiAuthenticationExtension):
    target_class = "inventory.api.v1.callers.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "manage.py token create NAME --scope read, write or provision, for one site or all.",
        }


class Person(OpenApiAuthenticationExtension):
    target_class = "inventory.api.v1.callers.PersonAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "mgmtplane_session",
            "description": "The session of the admin; writes need its CSRF token as X-CSRFToken.",
        }


#: what names one row in a path: id in the document, whatever the key of its model is called
KEY = re.compile(r"\{\w+\}")


class Described(AutoSchema):
    """Tags are the nouns; what a view's docstring promises of all its operations is not repeated in each."""

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        """A segment is called Segment in the document, whatever its class is called here."""
        return str(super()._get_serializer_name(serializer, direction, bypass_extensions)).replace("Body", "")

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(PREFIX).split("/")[0]]

    def get_summary(self) -> str | None:
        said = {
            "list": "List",
            "retrieve": "Get",
            "create": "Create",
            "update": "Replace",
            "partial_update": "Change",
            "destroy": "Delete",
        }.get(getattr(self.view, "action", ""))
        return f"{said} {self.get_tags()[0]}" if said else None

    def get_description(self) -> str:  # type: ignore[override]
        if getattr(self.view, "action", "") in (
            "list",
            "retrieve",
            "create",
            "update",
            "partial_update",
            "destroy",
        ):
            return type(self.view).__doc__ or ""
        return super().get_description()


def told_whole(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Complete *result*; what all operations share is said here and not in every view."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    result["components"]["responses"] = {
        name: _problem(description) for name, description in PROBLEMS.items()
    }
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    result["paths"] = {KEY.sub("{id}", path): operations for path, operations in result["paths"].items()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return result


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    allocates = path.endswith("/allocate")
    conditional = method == "get" and (path.endswith("{id}") or path.removeprefix(PREFIX) in WITH_REVISIONS)
    responses, parameters = operation["responses"], operation.setdefault("parameters", [])
    parameters += _headers(path, method, conditional)
    if conditional:
        responses["304"] = {"description": "As the caller has it."}
    if conditional or (method != "get" and not allocates):
        for status in {"200", "201"} & set(responses):
            responses[status]["headers"] = ETAG
    for status in _refusals(path, method):
        name = "Exhausted" if allocates and status == "409" else NAMES[status]
        responses[status] = {"$ref": f"#/components/responses/{name}"}
    for parameter in parameters:
        if parameter["in"] == "path":
            parameter["name"] = "id"
            parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        elif parameter["in"] == "query" and parameter["schema"].get("type") == "string":
            parameter["schema"].setdefault("minLength", 1)
    operation["responses"] = dict(sorted(responses.items()))
    operation["parameters"] = sorted(parameters, key=lambda one: (one["in"], one["name"]))
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if example := EXAMPLES.get((method, path.removeprefix(PREFIX))):
            content["examples"] = {"example": {"value": example}}


def _is_once(path: str, method: str) -> bool:
    """Whether it takes an Idempotency-Key."""
    return path.endswith("/allocate") or (method, path) == ("post", f"{PREFIX}jobs")


def _refusals(path: str, method: str) -> set[str]:
    found = {"400", "401", "403", "406", "500", "503"}
    if "{id}" in path:
        found.add("404")
    if method in ("post", "put", "patch"):
        found |= {"413", "415"}
    if method != "get":
        found.add("409")
        if _is_once(path, method):
            found.add("422")
        elif "{id}" in path:
            found.add("412")
    return found


def _headers(path: str, method: str, conditional: bool) -> Iterator[dict[str, Any]]:
    if conditional:
        yield _header("If-None-Match", "ETag of what the caller has; 304 if there is nothing newer.")
    if method == "get":
        return
    yield _header("Mgmtplane-Reason", "Why; instead of “why” in the body.", maxLength=1000)
    if _is_once(path, method):
        about = "Makes it safe to send the request again: it is answered again, and nothing is done again."
        yield _header("Idempotency-Key", about, pattern="^[!-~]{1,255}$")
    elif "{id}" in path:
        yield _header("If-Match", "ETag of the state that this change is meant for.")


def _problem(description: str) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }
