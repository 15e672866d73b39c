"""What the pages show of a state directory, and whatever names stand in it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from tests.cli.test_old_journals import OLD, _records
from tests.hostile.test_names import NAMES
from tests.unit.ui.html.parsed import each, served, words
from tests.web.pages import TOKEN, Site

from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.state.ledger import ledger_file
from memrunbook.state.run_directory import RunDirectory
from memrunbook.web.api import OFFERED
from memrunbook.web.drawn import host_key, host_place
from memrunbook.web.live import MOST_EACH, Streams

HOSTILE = [
    *(one for one in NAMES if one.strip()),
    "<img src=x onerror=alert(1)>",
    "../../etc/passwd",
    "%2e%2e%2f",
    "a" * 300,
    '"><script>',
]
PLACES = ("/", "/hosts", "/hosts/db7", "/runs", f"/runs/{OLD.name}", "/pending", "/schedules", "/journal")


def a_run(state: Path) -> None:
    """A run of db7 that was resolved, as an earlier version wrote it."""
    with RunDirectory.create(state, OLD.name, lambda: Instant(1795340467.0, 0.0)) as directory:
        for name, journal in (("run.jsonl", directory.run), ("db7.jsonl", directory.host("db7"))):
            for record in _records(name):
                journal.append(record)
        directory.end()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    known = Inventory({name: Host(name) for name in ("db7", "web1", *HOSTILE)})
    site = Site(tmp_path / "state", inventory=known)
    a_run(site.state)
    return site


@pytest.mark.parametrize("place", PLACES)
def test_each_page_is_valid_and_runs_nothing_of_its_own(site: Site, place: str) -> None:
    answer = site.signed_in().get(place)
    assert answer.status_code == 200, answer.text
    root = served(answer.text)
    assert len(list(each(root, "h1"))) == len(list(each(root, "main"))) == 1
    assert [one for one in each(root, "script") if one.get("src") != "/static/live.js" or words(one)] == []
    assert list(each(root, "style")) == []
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", re.sub(r">[^<]*<", "><", answer.text))
    assert site.defects == []


def test_the_run_is_found_from_the_overview_and_its_page_says_what_the_terminal_says(site: Site) -> None:
    client = site.signed_in()
    root = served(client.get("/").text)
    links = {one.get("href"): words(one) for one in each(root, "a")}
    assert links[f"/runs/{OLD.name}"] == OLD.name
    assert links["/hosts/db7"] == "db7"
    page = client.get(f"/runs/{OLD.name}").text
    assert "RESOLVED" in page
    assert "Readings" in page
    assert "data-live" not in page
    assert f"runbook report {OLD.name} --state-dir {site.state}" in words(served(page))


def test_a_run_under_way_follows_itself_and_loads_anew_without_scripts(site: Site) -> None:
    run = "20261129T101112Z-abcd"
    with RunDirectory.create(site.state, run, lambda: Instant(1795340467.0, 0.0)):
        page = site.signed_in().get(f"/runs/{run}").text
        assert 'data-live="yes"' in page
        assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', page)
        assert '<script src="/static/live.js" defer="defer"></script>' in page
    assert "data-live" not in site.signed_in().get(f"/runs/{run}").text


def test_the_events_of_a_run_that_is_over_say_so(site: Site) -> None:
    answer = site.signed_in().get(f"/runs/{OLD.name}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: end" in answer.text


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_host_of_any_name_has_a_page_and_its_name_is_only_text(site: Site, name: str) -> None:
    client = site.signed_in()
    place = host_place(name)
    assert re.fullmatch(r"/hosts/[\w.-]+", place, re.ASCII)
    answer = client.get(place)
    assert answer.status_code == 200, answer.text
    assert [one.tag for one in served(answer.text).iter() if one.tag in ("img", "iframe", "object")] == []
    assert place in {one.get("href") for one in each(served(client.get("/hosts").text), "a")}


def test_two_hosts_never_share_an_address() -> None:
    assert len({host_key(name) for name in HOSTILE}) == len(set(HOSTILE))


@pytest.mark.parametrize(
    "place",
    ["/runs/%2e%2e", "/runs/..%2f..%2fkeys", "/hosts/..%2f..", "/static/pages.py", "/static/%2e%2e/x",
     "/runs/last", "/runs/20261129T101112Z-zzzz", "/hosts/nobody", f"/runs/{OLD.name}/x", "/api/v1/runs/..%2f..",
     "/api/v1/history/nobody", "/api/v1/runs/last", "/runs/٢0261129T101112Z-abcd"],
)  # fmt: skip
def test_what_is_not_there_is_not_there(site: Site, place: str) -> None:
    assert site.signed_in().get(place).status_code == 404
    assert site.defects == []


def test_a_journal_that_was_changed_is_told_on_every_page_that_shows_it(site: Site) -> None:
    path = site.state / "runs" / OLD.name / "db7.jsonl"
    path.write_bytes(path.read_bytes().replace(b"db7", b"db8", 1))
    client = site.signed_in()
    for place in (f"/runs/{OLD.name}", "/journal"):
        assert "NOT INTACT" in client.get(place).text, place
    ledger_file(site.state).write_bytes(b"{}\n")
    for place in ("/", "/runs", "/journal"):
        assert "NOT INTACT" in client.get(place).text, place


def test_programs_get_the_documents_of_the_terminal(site: Site) -> None:
    client = site.client(headers={"Authorization": f"Bearer {TOKEN}"})
    described = client.get("/api/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) == {"/alerts", *(f"/api/v1{one.path}" for one in OFFERED)}
    assert {method for path in described["paths"] if path != "/alerts" for method in described["paths"][path]} == {
        "get"
    }
    for path in described["paths"]:
        if "{" not in path and path != "/alerts":
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            assert answer.json()["format"].startswith("memrunbook.")
    assert client.get(f"/api/v1/runs/{OLD.name}").json()["run"] == OLD.name
    assert "runbook_" in client.get("/metrics").text
    assert not re.search(r"#/\$defs", client.get("/api/openapi.json").text)
    assert site.client().get("/api/v1/runs", headers={"Authorization": f"Bearer {TOKEN[:-1]}"}).status_code == 401


def test_no_session_takes_the_streams_of_the_others(tmp_path: Path) -> None:
    async def followed() -> None:
        streams = Streams()
        mine = [streams.follow(tmp_path, "one", lambda: True, lambda: False) for _ in range(MOST_EACH)]
        for stream in mine:
            assert not streams.full("one")
            assert b"retry" in await anext(stream)
        assert streams.full("one")
        assert not streams.full("two")
        await mine[0].aclose()
        assert not streams.full("one")

    asyncio.run(followed())
