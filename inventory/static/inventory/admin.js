/* What every page of the admin needs of JavaScript. Nothing is inline and nothing is evaluated: the CSP says so. */
"use strict";

/* htmx sends Django's CSRF token with what it posts, and brings no styles or evaluated text of its own. */
if (window.htmx) {
  htmx.config.allowEval = false;
  htmx.config.includeIndicatorStyles = false;
  document.addEventListener("htmx:configRequest", (event) => {
    const found = document.cookie.match(/(?:^|; )mgmtplane_csrf=([^;]+)/);
    if (found) event.detail.headers["X-CSRFToken"] = decodeURIComponent(found[1]);
  });
}
