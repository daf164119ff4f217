"""What a page may load, as Content-Security-Policy (CSP level 3): from this server, and nothing inline but styles.

Loosened, and why (docs/access.md tells operators the same):

- scripts may use ``eval``: Alpine, which unfold's pages are built with, compiles the expressions in their attributes;
- styles may be inline: unfold writes its colours into a style element and widths into attributes.

Templates hold no inline script and no event handler; a page that must have one says so with a decorator.
"""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace

STRICT: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

#: For the view of an API's documentation (Swagger UI, Redoc): its page starts its script inline. Nothing else of it
#: comes from elsewhere, and it shows nothing that a person typed.
#:
#:     schema_page = documentation_page(SpectacularSwaggerView.as_view(url_name="schema"))
documentation_page = csp_replace(
    {"script-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:", "blob:"], "worker-src": [SELF, "blob:"]}
)
