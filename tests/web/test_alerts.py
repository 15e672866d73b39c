"""Alertmanager posts; what it posts is worked off beside the pages, few documents at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient
from tests.web.pages import ALERTS, TOKEN, Site

from memrunbook.state.asked import FOLDER, asked_doubts
from memrunbook.web.alerts import AT_ONCE, MOST, WAITING
from memrunbook.web.guard import LARGEST_POSTED

DOCUMENT = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "MemoryLow", "instance": "db7"}}]}
# Stands for `runbook`: says with what it was started and what it was given, and waits until it is let go.
STAND_IN = """
import os, pathlib, sys, time
print(sys.argv[1:], os.environ["RUNBOOK_ASKED"], sys.stdin.read(), flush=True)
while not pathlib.Path(os.environ["TESTS_LET_GO"]).exists(): time.sleep(0.05)
"""
BEARER = {"Authorization": f"Bearer {ALERTS}"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("TESTS_LET_GO", str(tmp_path / "go"))
    return Site(tmp_path / "state", program=(sys.executable, "-c", STAND_IN))


@pytest.fixture
def poster(site: Site, tmp_path: Path) -> Iterator[TestClient]:
    """Who posts; one loop serves all its posts, as one does in a server."""
    with start_blocking_portal() as portal:
        client = site.client()
        client.portal = portal
        yield client
        (tmp_path / "go").touch()


def said(site: Site, count: int = 1) -> list[str]:
    """What so many commands said, once they have."""
    deadline = time.monotonic() + 60
    while True:
        found = [path.read_text() for path in sorted((site.state / FOLDER).glob("*.log"))]
        if len(texts := [one for one in found if one]) >= count:
            return texts
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_document_is_taken_at_once_and_handed_to_the_command(site: Site, poster: TestClient) -> None:
    answer = poster.post("/alerts", json=DOCUMENT, headers=BEARER)
    assert (answer.status_code, answer.json()) == (202, {"alerts": 1, "waiting": 1})
    [words] = said(site)
    assert words.startswith(f"['alert', '--state-dir', '{site.state}'] ")
    assert json.loads(words[words.index("{") :]) == DOCUMENT
    [record] = (site.state / "asked.jsonl").read_text().splitlines()
    assert json.loads(record)["hash"] in words
    assert list(asked_doubts(site.state)) == []
    assert ALERTS not in words + record
    for path in (site.state / FOLDER).iterdir():
        assert path.stat().st_mode & 0o007 == 0


def test_few_are_worked_off_at_once_few_wait_and_the_pages_answer(site: Site, poster: TestClient) -> None:
    for _ in range(AT_ONCE + WAITING):
        assert poster.post("/alerts", json=DOCUMENT, headers=BEARER).status_code == 202
    full = poster.post("/alerts", json=DOCUMENT, headers=BEARER)
    assert full.status_code == 503
    assert int(full.headers["retry-after"]) > 0
    assert len(said(site, AT_ONCE)) == AT_ONCE
    assert poster.get("/sign-in").status_code == 200
    Path(os.environ["TESTS_LET_GO"]).touch()
    assert len(said(site, AT_ONCE + WAITING)) == AT_ONCE + WAITING, "none is lost"


def test_a_document_that_was_taken_and_cannot_be_handed_on_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", program=(str(tmp_path / "gone"),))
    with start_blocking_portal() as portal:
        client = site.client()
        client.portal = portal
        assert client.post("/alerts", json=DOCUMENT, headers=BEARER).status_code == 202
        deadline = time.monotonic() + 20
        while not site.told and time.monotonic() < deadline:
            time.sleep(0.02)
    [told] = site.told
    assert "taken and is not looked at" in told
    assert "no such file" in told


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "there is nothing in it"),
        (b"{", "this is no JSON"),
        (b"\xff", "this is no JSON"),
        (b"[" * 200_000, "Expected `object`"),
        (b'{"version": "3", "alerts": []}', "version '3'"),
        (b'{"version": "4", "alerts": [{"status": "loud", "labels": {}}]}', "alerts[0].status"),
        (b" " * (1 << 21), "larger than 1 MiB"),
    ],
    ids=["nothing", "half", "bytes", "deep", "version", "status", "large"],
)
def test_what_is_no_document_is_told(site: Site, poster: TestClient, content: bytes, why: str) -> None:
    answer = poster.post("/alerts", content=content, headers=BEARER)
    assert answer.status_code == 400, answer.text
    assert why in answer.json()["error"]["what"]
    assert not (site.state / FOLDER).exists()
    assert site.defects == []


def test_only_so_much_is_read_and_only_of_who_has_the_token(site: Site, poster: TestClient) -> None:
    large = {**BEARER, "Content-Length": str(LARGEST_POSTED + 1)}
    assert poster.post("/alerts", content=b"", headers=large).status_code == 413
    in_parts = iter([b" " * (1 << 20)] * 6)
    assert poster.post("/alerts", content=in_parts, headers=BEARER).status_code == 413
    for token in ("", "wrong", TOKEN, f"{ALERTS}x", "é"):
        headers: dict[str, Any] = {"Authorization": f"Bearer {token}".encode()}
        answer = poster.post("/alerts", json=DOCUMENT, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), token
    assert poster.post("/alerts", json=DOCUMENT).status_code == 401
    assert site.signed_in().post("/alerts", json=DOCUMENT).status_code == 401, "people post none"
    assert poster.get("/alerts", headers=BEARER).status_code == 405
    assert poster.post("/sign-in", content=b" " * (1 << 17)).status_code == 413, "no other address takes so much"
    assert not (site.state / FOLDER).exists()


def test_its_token_opens_nothing_else(site: Site) -> None:
    for place in ("/metrics", "/api/v1/runs", "/api/openapi.json"):
        assert site.client().get(place, headers=BEARER).status_code == 401, place


def test_more_than_so_many_posts_are_not_looked_at(poster: TestClient) -> None:
    codes = [poster.post("/alerts", content=b"{", headers=BEARER).status_code for _ in range(MOST + 3)]
    assert codes == [400] * MOST + [429] * 3


def test_who_has_no_token_keeps_out_nobody_who_has_it(site: Site, poster: TestClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert {poster.post("/alerts", headers=wrong).status_code for _ in range(MOST + 3)} == {401}
    assert poster.post("/alerts", json=DOCUMENT, headers=BEARER).status_code == 202


def test_without_a_token_in_config_yaml_nobody_may_post(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", alerts="")
    answer = site.client().post("/alerts", json=DOCUMENT, headers={"Authorization": "Bearer "})
    assert answer.status_code == 404
    assert "alerts_token_file" in answer.text


@pytest.mark.slow
def test_the_command_that_is_started_is_runbook_alert(tmp_path: Path) -> None:
    site = Site(tmp_path / "state")
    with start_blocking_portal() as portal:
        client = site.client()
        client.portal = portal
        assert client.post("/alerts", json=DOCUMENT, headers=BEARER).status_code == 202
        [words] = said(site)
    assert "config.yaml says nothing of alerts" in words, "as at the terminal"
