"""What the project serves by itself."""

import pytest

#: each request looks whether the database answers
pytestmark = pytest.mark.django_db


def test_the_root_leads_to_the_admin(client):
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_the_sign_in_page_tells_browsers_to_be_careful(client):
    response = client.get("/admin/login/")
    assert response.status_code == 200
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_session_cookies_are_out_of_reach_for_scripts_and_other_sites(client, admin_user):
    client.post("/admin/login/", {"username": "admin", "password": "password", "next": "/admin/"})
    cookie = client.cookies["mgmtplane_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_foreign_host_name_is_refused(client):
    assert client.get("/", headers={"host": "evil.example.org"}).status_code == 400
