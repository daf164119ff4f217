"""Whatever is sent to whichever operation: the answer is one that the OpenAPI document promises, and never a 5xx.

Bodies and addresses are generated from the document, some right and some wrong, with the names and ids of rows that
there are among them. In the fast lane a few for each operation; ``-m slow`` sends hundreds.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from inventory import reading
from inventory.api.v1.pages import document
from inventory.models import Token
from tests.api.test_queries import declare
from tests.scale import SAMPLED, share

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
]
DOCUMENT: dict[str, Any] = json.loads(document()[0])
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]
CALLERS = ("write",) if SAMPLED else ("read", "write", "administrator")
#: what there is, by the property that names it
KNOWN = {
    "site": ["s0"],
    "host": ["vm01", "hv01"],
    "hypervisor": ["hv01"],
    "bootstrap_host": ["vm01"],
    "switch": ["hv01"],
    "segment": ["lan"],
    "role": ["dns"],
    "service": ["vm01/files"],
    "finding": ["address-in-pool"],
    "kind": ["survey", "switch_authority", "housekeeping"],
}
LISTS = {
    "hosts": ["vm01", "hv01"],
    "groups": ["vms", "machines"],
    "parents": ["machines"],
    "profiles": ["builder"],
}


def with_what_there_is() -> dict[str, Any]:
    """The document with the names and ids of :func:`declare`'s rows in requests: else all of them would be 404."""
    known = copy.deepcopy(DOCUMENT)
    for name, schema in known["components"]["schemas"].items():
        if not name.endswith("Request"):
            continue
        for field, property_ in schema.get("properties", {}).items():
            if field in KNOWN:
                property_.update(enum=KNOWN[field])
                property_.pop("oneOf", None)
            if field in LISTS:
                property_["items"] = {"enum": LISTS[field]}
    for methods in known["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    parameter["schema"] = {"type": "integer", "enum": [1, 2, 999_999]}
    return known


#: with If-Match in the request, that another state is meant may be said before that the body is wrong
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422"]
KNOWN_DOCUMENT = schemathesis.openapi.from_dict(
    with_what_there_is(),
    config=SchemathesisConfig.from_dict(
        {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}
    ),
)
KNOWN_DOCUMENT.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def _connection_stays_open():
    """A server closes its connection between requests; here it is the one with the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(request, db) -> dict[str, str]:
    """How the caller shows who it is."""
    if request.param != "administrator":
        token = Token(name=request.param, scope=request.param)
        plain = token.issue()
        token.save()
        return {"Authorization": f"Bearer {plain}"}
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="a long password"))
    csrf = _get_new_csrf_string()
    return {
        "Cookie": f"mgmtplane_session={client.cookies['mgmtplane_session'].value}; mgmtplane_csrf={csrf}",
        "X-CSRFToken": csrf,
    }


def ids_of(path: str) -> list[int]:
    """The ids of two rows that the operation may speak of, and of none."""
    from inventory.api.v1.nouns.views import NOUNS

    noun = path.removeprefix("/api/v1/").split("/")[0]
    rows = NOUNS[noun].queryset.values_list("pk", flat=True)[:2] if noun in NOUNS else ()
    return [*rows, 999_999]


def sent(method: str, path: str, headers: dict[str, str], mode: GenerationMode, examples: int) -> None:
    operation = KNOWN_DOCUMENT[path][method.upper()]
    ids = ids_of(path)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def one(case: Any) -> None:
        if isinstance(number := case.path_parameters.get("id"), int) and number in (1, 2):
            case.path_parameters["id"] = ids[min(number, len(ids)) - 1]
        savepoint = transaction.savepoint()
        try:
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)
        finally:
            transaction.savepoint_rollback(savepoint)
            reading.forget()

    one()


every_noun = pytest.mark.parametrize("noun", sorted({path.split("/")[3] for _, path in OPERATIONS}))


def send_all(noun: str, headers: dict[str, str], examples: int) -> None:
    """Right and wrong requests to each operation of the noun."""
    declare(0, 1)
    for method, path in OPERATIONS:
        if path.split("/")[3] == noun:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                sent(method, path, headers, mode, examples)


@pytest.mark.parametrize("headers", ["read", "write"], indirect=True)
@every_noun
def test_every_answer_is_one_that_the_document_promises(noun, headers):
    send_all(noun, headers, 1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("headers", CALLERS, indirect=True)
@every_noun
def test_every_answer_of_many_is_one_that_the_document_promises(noun, headers):
    send_all(noun, headers, share(80))
