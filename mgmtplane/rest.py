"""How Django REST framework and drf-spectacular are set up for ``/api/v1/``."""

from typing import Any

from mgmtplane import __version__

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "inventory.api.v1.callers.BearerAuthentication",
        "inventory.api.v1.callers.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["inventory.api.v1.callers.IsKnown"],
    "DEFAULT_PARSER_CLASSES": ["inventory.api.v1.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "inventory.api.v1.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "inventory.api.v1.schema.Described",
    "EXCEPTION_HANDLER": "inventory.api.v1.problems.answer",
    "UNICODE_JSON": True,
    "URL_FORMAT_OVERRIDE": None,  # the header Accept is enough
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "mgmtplane",
    "DESCRIPTION": (
        "What a site declares, to read and to write, through the same door, checks and permissions as the admin. "
        "Conventions, recipes and examples: docs/api.md."
    ),
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["inventory.api.v1.schema.only_v1"],
    "POSTPROCESSING_HOOKS": ["inventory.api.v1.schema.told_whole"],
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "validatorUrl": None},
}
