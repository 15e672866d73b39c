from __future__ import annotations

import datetime as dt
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from memrunbook.app.holding_back import held_back
from memrunbook.core.schedule import Schedule
from memrunbook.documents.config import Config, load_config
from memrunbook.documents.schedules import ScheduledRun

JOB = ScheduledRun(
    schedule=Schedule(name="night", zone=dt.UTC, every=60.0), zone="UTC", where="s:1", runbook="r", hosts=("h",)
)
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260105T020000Z
DTEND:20260105T040000Z
RRULE:FREQ=WEEKLY
SUMMARY:Stocktaking
END:VEVENT
END:VCALENDAR
"""


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


@contextmanager
def prometheus(status: int, answer: str) -> Iterator[tuple[str, list[str]]]:
    """A server of that kind, and what it was asked."""
    asked: list[str] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_stands_against_a_schedule_that_names_nothing() -> None:
    assert held_back(JOB, Config(), 0.0) is None


def test_a_freeze_of_config_yaml_holds_for_its_time_and_one_that_is_not_there_for_ever(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "freeze:\n  - {name: year-end, zone: UTC, from: '2026-12-20 00:00', until: '2027-01-03 00:00', hosts: db-*}\n"
    )
    config, job = load_config(tmp_path / "config.yaml"), replace(JOB, windows=("year-end",))
    held = held_back(job, config, at("2026-12-24"))
    assert held is not None
    assert held.state == "frozen"
    assert "year-end" in held.why
    assert held_back(job, config, at("2026-12-19")) is None
    lost = held_back(replace(job, windows=("year-edn",)), config, at("2026-12-19"))
    assert lost is not None
    assert lost.state == "blocked"
    assert "did you mean year-end?" in lost.why


def test_an_event_of_a_calendar_holds_it_back_in_each_week(tmp_path: Path) -> None:
    path = tmp_path / "days.ics"
    path.write_text(CALENDAR, "utf-8")
    job = replace(JOB, calendars=(path,))
    held = held_back(job, Config(), at("2026-03-02T03:00"))
    assert held is not None
    assert (held.state, held.why) == ("frozen", f"{path} has now: Stocktaking")
    assert held_back(job, Config(), at("2026-03-02T04:30")) is None


@pytest.mark.parametrize(
    "text",
    [None, "", "no calendar", CALENDAR.replace("END:VCALENDAR", ""), CALENDAR.replace("FREQ=WEEKLY", "FREQ=SOMETIMES"),
     CALENDAR.replace("20260105T020000Z", "sometime")],
)  # fmt: skip
def test_a_calendar_that_cannot_be_read_blocks(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "days.ics"
    if text is not None:
        path.write_text(text, "utf-8")
    held = held_back(replace(JOB, calendars=(path,)), Config(), at("2026-03-03T12:00"))
    assert held is not None
    assert held.state == "blocked"
    assert str(path) in held.why


def test_an_alert_that_fires_holds_it_back() -> None:
    answer = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"alertname":"Failover"}}]}}'
    with prometheus(200, answer) as (url, asked):
        held = held_back(replace(JOB, prometheus=url, alerts='alertname="Failover"'), Config(), 0.0)
    assert held is not None
    assert (held.state, held.why) == ("alerting", "alerts fire: Failover")
    assert "ALERTS%7Balertstate%3D%22firing%22%2Calertname%3D%22Failover%22%7D" in asked[0]
    with prometheus(200, '{"status":"success","data":{"result":[]}}') as (url, _):
        assert held_back(replace(JOB, prometheus=url, alerts="a='b'"), Config(), 0.0) is None


@pytest.mark.parametrize(
    ("status", "answer"),
    [(400, "bad"), (200, "<html>"), (200, "{}"), (200, '{"data":{"result":[5]}}'), (200, "[" * 5000)],
)
def test_a_server_that_says_nothing_of_use_blocks(status: int, answer: str) -> None:
    with prometheus(status, answer) as (url, _):
        held = held_back(replace(JOB, prometheus=url, alerts="a='b'"), Config(), 0.0)
    assert held is not None
    assert held.state == "blocked"


def test_a_server_that_is_not_there_blocks() -> None:
    held = held_back(replace(JOB, prometheus="http://127.0.0.1:9", alerts="a='b'"), Config(), 0.0)
    assert held is not None
    assert held.state == "blocked"
    assert "which alerts fire cannot be asked" in held.why
