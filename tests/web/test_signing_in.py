"""Who signs in: once by a link, never as somebody else, and not without its being written down."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.web.pages import BASE, Site, csrf

from memrunbook.app.auditing import AuditArguments, audit
from memrunbook.documents.serving import Serving
from memrunbook.state.sign_ins import read_sign_ins, sign_in_doubts, sign_ins_file
from memrunbook.web.sessions import LINK_LASTS, TRIES
from memrunbook.web.signing import local

PAGES = ("/", "/hosts", "/hosts/x", "/runs", "/runs/x", "/pending", "/schedules", "/journal")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "state")


def events(site: Site) -> list[str]:
    return [one.event for one in read_sign_ins(site.state)]


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_who_is_not_signed_in(site: Site, page: str) -> None:
    answer = site.client().get(page)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={page}")


@pytest.mark.parametrize("place", ["/metrics", "/api/v1/runs", "/api/openapi.json", "/runs/x/events"])
def test_nor_does_a_program_without_the_token(site: Site, place: str) -> None:
    assert site.client().get(place).status_code == 401
    wrong = site.client().get(place, headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401


def test_looking_at_a_link_does_not_use_it_up_and_using_it_does(site: Site) -> None:
    token, client = site.link(), site.client()
    for _ in range(3):
        assert f'value="{token}"' in client.get(f"/sign-in?link={token}").text
    answer = client.post("/sign-in", data={"link": token, "next": "/runs"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Secure" not in cookie
    assert client.get("/runs").status_code == 200
    again = site.client().post("/sign-in", data={"link": token})
    assert again.status_code == 403
    assert "used already" in again.text
    assert events(site) == ["link", "in", "refused"]


def test_over_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", secure=True)
    answer = site.client("https://127.0.0.1:8642").post("/sign-in", data={"link": site.link()})
    assert answer.headers["set-cookie"].startswith("__Host-runbook_session=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_link_that_is_too_old_signs_nobody_in(site: Site) -> None:
    token = site.link()
    site.now += LINK_LASTS
    assert "too old" in site.client().post("/sign-in", data={"link": token}).text


def test_a_session_that_somebody_planted_is_never_taken_over(site: Site) -> None:
    client = site.client()
    client.cookies.set("runbook_session", "planted-by-somebody-else", domain="127.0.0.1")
    client.post("/sign-in", data={"link": site.link()})
    values = {cookie.value for cookie in client.cookies.jar}
    assert values != {"planted-by-somebody-else"}
    planted = site.client(cookies={"runbook_session": "planted-by-somebody-else"})
    assert planted.get("/").status_code == 303


def test_signing_in_again_ends_the_session_that_was(site: Site) -> None:
    client = site.signed_in()
    before = client.cookies["runbook_session"]
    client.post("/sign-in", data={"link": site.link()})
    assert client.cookies["runbook_session"] != before
    assert site.sessions.session(before) is None


def test_a_session_ends_by_itself(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", serving=Serving(idle=600.0, lifetime=1500.0))
    idle, busy = site.signed_in(), site.signed_in()
    for _ in range(2):
        site.now += 500
        assert busy.get("/").status_code == 200
    assert idle.get("/").status_code == 303
    site.now += 500
    assert busy.get("/").status_code == 303, "its lifetime is over, however busy it was"


def test_a_page_that_renews_itself_keeps_no_session_alive(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", serving=Serving(idle=600.0))
    client = site.signed_in()
    site.now += 400
    assert client.get("/", headers={"X-Renewed": "yes"}).status_code == 200
    site.now += 400
    assert client.get("/").status_code == 303


def test_signing_out_takes_the_form_of_the_session(site: Site) -> None:
    client = site.signed_in()
    page = client.get("/").text
    for given in ({}, {"csrf": "wrong"}, {"csrf": csrf(site.signed_in().get("/").text)}):
        assert client.post("/sign-out", data=given).status_code == 403
        assert client.get("/").status_code == 200
    assert "signed out" in client.post("/sign-out", data={"csrf": csrf(page)}).text
    assert client.get("/").status_code == 303
    assert events(site)[-1] == "out"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": BASE, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_site_signs_nobody_in(site: Site, headers: dict[str, str]) -> None:
    token = site.link()
    assert site.client().post("/sign-in", data={"link": token}, headers=headers).status_code == 403
    assert site.client().post("/sign-in", data={"link": token}).status_code == 303, "and does not use the link up"


def test_our_own_form_does_though_its_origin_is_told_as_null(site: Site) -> None:
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert site.client().post("/sign-in", data={"link": site.link()}, headers=headers).status_code == 303


def test_guessing_is_slowed_down_and_does_not_fill_the_disk(site: Site) -> None:
    client = site.client()
    codes = [client.post("/sign-in", data={"link": f"guess-number-{n}"}).status_code for n in range(TRIES + 30)]
    assert codes == [403] * TRIES + [429] * 30
    assert events(site) == ["refused"] * TRIES
    site.now += 61
    assert client.post("/sign-in", data={"link": "guess-number-x"}).status_code == 403


def test_who_tries_what_is_wrong_keeps_nobody_out(site: Site) -> None:
    for number in range(TRIES + 5):
        site.client().post("/sign-in", data={"link": f"guess-number-{number}"})
    assert site.client().post("/sign-in", data={"link": site.link()}).status_code == 303


def test_forms_of_another_site_do_not_fill_the_disk(site: Site) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    codes = [site.client().post("/sign-in", data={}, headers=headers).status_code for _ in range(TRIES + 5)]
    assert codes == [403] * TRIES + [429] * 5
    assert events(site) == ["refused"] * TRIES


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%0d%0aSet-Cookie:x",
        "/a//b",
        "/sign-out",
        "",
        "\r\n",
    ],
)
def test_nobody_is_led_elsewhere(site: Site, given: str) -> None:
    assert local(given) == "/"
    answer = site.client().post("/sign-in", data={"link": site.link(), "next": given})
    assert answer.headers["location"] == "/"


def test_sign_ins_are_a_chain_that_the_audit_verifies(site: Site) -> None:
    site.signed_in()
    assert list(sign_in_doubts(site.state)) == []
    path = sign_ins_file(site.state)
    assert path.stat().st_mode & 0o777 == 0o600
    whole = path.read_bytes()
    assert b"link=" not in whole
    path.write_bytes(whole.replace(b'"in"', b'"out"'))
    assert [one.where for one in sign_in_doubts(site.state)] == [f"{path}:2"]
    assert not audit(AuditArguments(state=site.state)).intact
    refused = site.client().post("/sign-in", data={"link": "whatever-it-is"})
    assert (refused.status_code, site.defects) == (503, []), "what cannot be written down does not happen"
    path.write_bytes(whole[:-5])
    [torn] = sign_in_doubts(site.state)
    assert torn.level == "note"
    site.client().post("/sign-in", data={"link": "whatever-it-is"})
    assert events(site) == ["link", "refused"]


def test_where_a_sign_in_cannot_be_written_down_nobody_is_signed_in(site: Site) -> None:
    token = site.link()
    path = sign_ins_file(site.state)
    path.unlink()
    path.mkdir()
    client = site.client()
    assert client.post("/sign-in", data={"link": token}).status_code == 503
    assert client.get("/").status_code == 303


def test_where_to_go_on_is_read_in_one_way_alone() -> None:
    """As long as an address may be: with two ways to read a piece it would take longer than the universe is old."""
    began = time.process_time()
    for piece in ("a", "a/", "/a", "./", "-_"):
        assert local(f"/{piece * 900}!") == "/"
    assert time.process_time() - began < 2
