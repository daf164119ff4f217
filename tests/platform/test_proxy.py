"""Behind a proxy that speaks HTTPS, through an SSH tunnel to another port, and what a browser is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.shared_data import REPOSITORY

PASSWORD = "a long password"
TLS = {
    "ALLOWED_HOSTS": "lab.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://lab.example.org",
    "SECURE_COOKIES": "true",
    "TRUST_PROXY": "true",
    "SECURE_SSL_REDIRECT": "true",
    "HSTS_SECONDS": "31536000",
}


@pytest.fixture
def ada(db):
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def behind_tls(settings):
    """As settings.py makes it of TLS."""
    settings.ALLOWED_HOSTS = ["lab.example.org"]
    settings.TRUST_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_SSL_REDIRECT = True


def sign_in(**how):
    """As a browser does: the page, then the form with its token and Origin."""
    browser = Client(enforce_csrf_checks=True, **how)
    page = browser.get("/admin/login/")
    assert page.status_code == 200
    token = browser.cookies["mgmtplane_csrf"].value
    return browser, browser.post(
        "/admin/login/",
        {"username": "ada", "password": PASSWORD, "next": "/admin/", "csrfmiddlewaretoken": token},
    )


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "localhost:8000"])
def test_a_tunnel_to_another_local_port_signs_in(ada, host):
    browser, answer = sign_in(HTTP_HOST=host, HTTP_ORIGIN=f"http://{host}")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert browser.get("/admin/").status_code == 200


def test_another_origin_does_not(ada):
    _, answer = sign_in(HTTP_HOST="localhost:9000", HTTP_ORIGIN="http://localhost:9001")
    assert answer.status_code == 403


def test_the_proxy_signs_in_with_secure_cookies_and_hsts(ada, behind_tls):
    browser, answer = sign_in(
        HTTP_HOST="lab.example.org", HTTP_ORIGIN="https://lab.example.org", HTTP_X_FORWARDED_PROTO="https",
        HTTP_REFERER="https://lab.example.org/admin/login/",
    )  # fmt: skip
    assert answer.status_code == 302
    assert answer["Strict-Transport-Security"] == "max-age=31536000"
    session = browser.cookies["mgmtplane_session"]
    assert session["secure"] and session["httponly"] and session["samesite"] == "Lax"
    assert session["max-age"] == 12 * 3600
    assert browser.cookies["mgmtplane_csrf"]["secure"]


def test_who_comes_by_http_is_sent_to_https_but_for_the_probes(behind_tls, db):
    client = Client(HTTP_HOST="lab.example.org")
    answer = client.get("/admin/", headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer["Location"]) == (301, "https://lab.example.org/admin/")
    assert client.get("/healthz").status_code == 200


def test_a_claim_of_https_counts_only_where_the_proxy_is_trusted(ada):
    answer = Client().get("/admin/login/", headers={"X-Forwarded-Proto": "https"})
    assert not answer.wsgi_request.is_secure()
    assert "Strict-Transport-Security" not in answer


def test_a_changed_password_signs_out_everywhere(ada):
    browser = Client()
    browser.force_login(ada)
    assert browser.get("/admin/").status_code == 200
    ada.set_password("another long password")
    ada.save()
    assert browser.get("/admin/").status_code == 302


def test_pages_say_what_they_may_load(client, db):
    page = client.get("/admin/login/")
    policy = dict(part.strip().partition(" ")[::2] for part in page["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in page["Permissions-Policy"]


def test_a_page_of_api_documentation_may_start_its_script_inline(rf):
    from csp.middleware import CSPMiddleware
    from django.http import HttpResponse

    from mgmtplane.content_policy import documentation_page

    view = documentation_page(lambda request: HttpResponse())
    policy = CSPMiddleware(view)(rf.get("/"))["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy and "unsafe-eval" not in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy


def check(environment, tmp_path, *more):
    """What manage.py check says in a process of its own."""
    given = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "HOME")}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING", *more],
        cwd=REPOSITORY,
        env={**given, "DATA_DIR": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_check_deploy_is_clean_behind_tls(tmp_path):
    done = check(TLS, tmp_path, "--deploy")
    assert done.returncode == 0, done.stderr


def test_a_redirect_without_an_end_keeps_everything_from_starting(tmp_path):
    done = check({"SECURE_SSL_REDIRECT": "true"}, tmp_path)
    assert done.returncode == 1
    assert "mgmtplane.E004" in done.stderr and "redirected for ever" in done.stderr
