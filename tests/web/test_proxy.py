"""Whom a trusted proxy names: signed in at sight, once, and never by what anybody else sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.pages import Site

from memrunbook.documents.roles import Roles
from memrunbook.documents.serving import Serving
from memrunbook.state.sign_ins import read_sign_ins

NAME = "https://runbook.example"
PROXY = "10.0.0.7"
ROLES = Roles({"ada": "approver"})


def site_of(folder: Path, header: str = "X-Forwarded-User") -> Site:
    serving = Serving(
        names=("runbook.example",), trusted_proxies=(PROXY,), proxy_header=header, roles=ROLES
    )  # fmt: skip
    return Site(folder / "state", serving=serving)


def through(site: Site, *names: str, address: str = PROXY) -> TestClient:
    """A browser behind the proxy, which says who it is."""
    client = site.client(NAME, client=(address, 5000))
    client.headers = [("X-Forwarded-Proto", "https"), *(("X-Forwarded-User", name) for name in names)]
    return client


def events(site: Site) -> list[tuple[str, str]]:
    return [(one.event, one.person) for one in read_sign_ins(site.state)]


def test_whom_the_proxy_names_is_in_at_first_sight_and_it_is_written_down_once(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    client = through(site, "ada")
    assert client.get("/runs").headers["location"] == "/sign-in?next=/runs"
    answer = client.get("/sign-in?next=/runs")
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0;url=/runs")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-runbook_session=")
    assert "Secure" in cookie
    for _ in range(3):
        assert "ada, approver" in client.get("/me").text
    assert client.get("/sign-in?next=/runs").status_code == 303, "who is in goes on"
    assert events(site) == [("in", "ada")]


def test_when_the_proxy_names_somebody_else_the_session_is_not_theirs(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    client = through(site, "ada")
    client.get("/sign-in")
    for others in (("grace",), (), ("ada", "grace")):
        client.headers = [("X-Forwarded-Proto", "https"), *(("X-Forwarded-User", one) for one in others)]
        assert client.get("/me").status_code == 303, others


@pytest.mark.parametrize("names", [(), ("",), (" ",), ("ada", "ada"), ("a b",), ("*",), ("ada,grace",), ("ada\t\x01",)])
def test_who_is_not_named_plainly_and_once_is_nobody(tmp_path: Path, names: tuple[str, ...]) -> None:
    site = site_of(tmp_path)
    answer = through(site, *names).get("/sign-in")
    assert "refresh" not in answer.headers
    assert "runbook serve prints a link" in answer.text
    assert events(site) == []


def test_who_has_no_role_is_refused(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    answer = through(site, "mallory").get("/sign-in")
    assert (answer.status_code, "no role" in answer.text) == (403, True)
    assert events(site) == [("refused", "mallory")]


@pytest.mark.parametrize("header", ["X-Forwarded-User", "x-forwarded-user"])
def test_from_anybody_else_and_without_the_key_in_config_yaml_the_header_is_nothing(
    tmp_path: Path, header: str
) -> None:
    site = site_of(tmp_path)
    assert through(site, "ada", address="10.0.0.8").get("/sign-in").status_code == 403
    plain = Site(tmp_path / "plain", serving=Serving(roles=ROLES, proxy_header="X-Forwarded-User"))
    options: dict[str, Any] = {"headers": {header: "ada"}}
    assert "refresh" not in plain.client().get("/sign-in", **options).headers
    unset = site_of(tmp_path, "")
    assert "refresh" not in through(unset, "ada").get("/sign-in").headers
