"""What workers tell is told on once, kept once, and sealed with the run; what is no record is told and not kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.app.hearing import PartsHeard
from memrunbook.app.notice import Notice
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.placed import PartSaid
from memrunbook.core.run.record import Asked, Recorded, plain
from memrunbook.core.run.request import Request, Wait
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.audit import verify
from memrunbook.state.run_directory import RunDirectory, new_run_id
from memrunbook.state.store.orders import PartSeen

SEEN = PartSeen(
    id="p", host="web1", state="running", attempt=1, node="node-1", outcome="", told=1, question="", result=b""
)  # fmt: skip
WAITS = {"hash": "a", **plain(Asked(Wait(1.0, "it settles")))}
ENDS = {"hash": "b", **plain(Recorded(RunFinished("resolved", "it is over")))}
SAID = msgspec.to_builtins(PartSaid(waits="another host"))
READ = {"hash": "c", "event": "answered", "answer": {"type": "Snapshot", "host": "web1", "readings": {"much": 1}}}


class Listening(Notice):
    def __init__(self) -> None:
        self.said: list[str] = []

    def asked(self, host: str, request: Request) -> None:
        self.said.append(f"{host} {type(request).__name__}")

    def waits(self, host: str, why: str) -> None:
        self.said.append(f"{host} waits for {why}")

    def remark(self, words: str, hint: str) -> None:
        self.said.append(f"{words} ({hint})")

    def recorded(self, record: Mapping[str, Any]) -> None:
        self.said.append(str(record["hash"]))


def test_it_is_told_and_kept_once_whoever_goes_on(tmp_path: Path) -> None:
    first, second, clock = Listening(), Listening(), SystemClock()
    run = new_run_id(clock.now())
    with RunDirectory.create(tmp_path, run, clock.now) as directory:
        heard = PartsHeard(directory, first)
        assert not heard.was_placed
        heard.placed()
        heard.tell("web1", "p", SEEN, [WAITS, SAID, READ])
    assert first.said == ["a", "web1 Wait", "web1 waits for another host", "c"]
    with RunDirectory.reopen(tmp_path, run, clock.now) as directory:
        heard = PartsHeard(directory, second)
        assert heard.was_placed
        heard.tell("web1", "p", SEEN, [WAITS, READ, ENDS])
        report = heard.report("web1", "p")
        heard.all_told()
        directory.end()
    assert second.said == ["b", "web1 Record"]
    assert (report.outcome, report.why, report.node, report.part) == ("resolved", "it is over", "node-1", "p")
    kept = (directory.path / "told.jsonl").read_text()
    assert "much" not in kept
    assert kept.count('"hash":"a"') == 1
    assert not [found for found in verify(tmp_path) if found.level == "error"]
    (directory.path / "told.jsonl").write_text(kept.replace("it is over", "it is oven"))
    assert [found for found in verify(tmp_path) if found.level == "error"], "the copy is covered by the seal"


def test_what_was_not_told_is_no_end_of_a_host(tmp_path: Path) -> None:
    clock = SystemClock()
    with RunDirectory.create(tmp_path, new_run_id(clock.now()), clock.now) as directory:
        heard = PartsHeard(directory, Listening())
        heard.tell("web1", "p", None, [])
        report = heard.report("web1", "p", [RunFinished("not_begun", "no worker")])
    assert (report.outcome, report.node, report.part) == ("not_begun", "", "")
    assert not (directory.path / "told.jsonl").exists()


def test_of_a_worker_that_refused_before_it_began_a_run_no_run_is_named(tmp_path: Path) -> None:
    clock = SystemClock()
    refused = plain(Recorded(RunFinished("refused", "another runbook")))
    with RunDirectory.create(tmp_path, new_run_id(clock.now()), clock.now) as directory:
        heard = PartsHeard(directory, Listening())
        heard.tell("web1", "p", SEEN, [refused])
        heard.tell("web2", "q", SEEN, [ENDS])
        told = [heard.report("web1", "p"), heard.report("web2", "q")]
    assert [(one.node, one.part) for one in told] == [("node-1", ""), ("node-1", "q")]
