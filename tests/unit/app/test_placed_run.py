"""A run that workers carry out: each host is a part, asked and stopped from here; who is not begun is told why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from tests.golden import samples
from tests.unit.app.ordered import DEADLINE, HOSTS
from tests.unit.state.conftest import INVOKED

from memrunbook.app import following, part_telling, placing
from memrunbook.app.asked_elsewhere import question_text
from memrunbook.app.connectors import Connectors
from memrunbook.app.gates import OneAtATime
from memrunbook.app.notice import Notice
from memrunbook.app.placing import PlacedRunning, part_ids
from memrunbook.app.run_arguments import RunArguments
from memrunbook.app.sites import refuse_kept_here
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.placed import PartResult
from memrunbook.core.run.record import Recorded, plain
from memrunbook.core.run.report import HostReport
from memrunbook.documents.config import Config
from memrunbook.documents.library import usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.store.changes import Store
from memrunbook.state.store.parts import PartTelling, TakenPart, WorkerParts
from memrunbook.testing import MemoryJobs, ScriptedApprover

PARTS = part_ids(HOSTS)
Does = Callable[["Fleet", TakenPart], object]


@dataclass
class Fleet:
    """A run with the queue that it hands its parts to, and one worker that does `does` with each."""

    running: PlacedRunning
    jobs: MemoryJobs
    parts: WorkerParts
    approver: ScriptedApprover
    stop: threading.Event
    begun: list[str] = field(default_factory=list)

    def ends(self, taken: TakenPart, outcome: Any = "resolved", used: tuple[str, ...] = (), why: str = "") -> None:
        """The worker ends a part."""
        line = msgspec.json.encode({**plain(Recorded(RunFinished(outcome, why))), "hash": "h"})
        telling = PartTelling(part=taken.id, attempt=taken.attempt, number=taken.number, lines=(line,))
        self.parts.end(telling, outcome, msgspec.json.encode(PartResult(used)), SystemClock().now().utc)

    def run(self, does: Does, *, working: bool = True) -> list[HostReport]:
        """The reports, once the worker has done it all."""
        over = threading.Event()

        def do(part: str) -> None:
            taken = self.parts.begin(part, SystemClock().now().utc)
            if taken is not None:
                self.begun.append(taken.hosts[0].name)
                does(self, taken)

        if not working:
            return self.running.run(HOSTS)
        self.parts.beat(["default"], 1, SystemClock().now().utc)
        thread = threading.Thread(target=self.jobs.work, args=(["default"], 1, do, over))
        thread.start()
        try:
            return self.running.run(HOSTS)
        finally:
            over.set()
            thread.join(DEADLINE)


@dataclass
class Told(Notice):
    """What of the records is told on."""

    records: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def remark(self, words: str, hint: str) -> None:
        del hint
        self.remarks.append(words)

    def recorded(self, record: Any) -> None:
        self.records.append(record["hash"])


@contextmanager
def fleet(folder: Path, rollout: Rollout = Rollout(), consents: tuple[str, ...] = ()) -> Iterator[Fleet]:  # noqa: B008
    """A run of two hosts, that nobody has begun."""
    stop, approver, jobs = threading.Event(), ScriptedApprover(), MemoryJobs()
    store = Store.open(folder, "")
    arguments = RunArguments(
        runbook="small",
        hosts=HOSTS,
        connectors=Connectors(forks=2),
        library=usual_library(),
        state=folder,
        parts=PARTS,
        rollout=rollout,
        consents=Consents(consents),
        distribute=True,
    )
    try:
        with RunDirectory.create(folder, "20261122T094107Z-abcd", SystemClock().now) as directory:
            running = PlacedRunning(
                arguments=arguments,
                runbook=cast("Any", None),
                policy=ServicePolicy(),
                config=Config(),
                directory=directory,
                approver=OneAtATime(approver, stop),
                notice=Told(),
                stop=stop,
                handled={},
                store=store,
                invoked=INVOKED,
                jobs=jobs,
            )
            yield Fleet(running, jobs, WorkerParts(store, "node-1-worker", "node-1"), approver, stop)
    finally:
        store.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (following, placing, part_telling):
        monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setattr(following, "WORKERS", 0.05)


def outcomes(reports: list[HostReport]) -> list[tuple[str, str, str]]:
    return [(report.host, report.outcome, report.why) for report in reports]


def test_each_host_is_a_part_and_its_report_is_what_its_worker_told(tmp_path: Path) -> None:
    def does(made: Fleet, taken: TakenPart) -> None:
        made.ends(taken, "resolved" if taken.hosts[0].name == "web-1" else "failed", why="so it is")

    with fleet(tmp_path) as made:
        reports = made.run(does)
        assert outcomes(reports) == [("web-1", "resolved", "so it is"), ("web-2", "failed", "so it is")]
        assert sorted(made.begun) == ["web-1", "web-2"]
        assert made.jobs.kept == {}
        assert cast("Told", made.running.notice).records == ["h", "h"]


def test_what_a_part_used_of_the_consents_counts_here(tmp_path: Path) -> None:
    with fleet(tmp_path, consents=("restart_unit", "stop_unit")) as made:
        made.run(lambda made, taken: made.ends(taken, used=("stop_unit",)))
        assert made.running.arguments.consents.used == ("stop_unit",)


def test_without_a_worker_of_their_site_hosts_are_not_begun(tmp_path: Path) -> None:
    with fleet(tmp_path) as made:
        reports = made.run(lambda *_: None, working=False)
        why = "no worker of site default is there"
        assert [(report.host, report.outcome) for report in reports] == [("web-1", "not_begun"), ("web-2", "not_begun")]
        assert all(why in report.why for report in reports)
        assert made.jobs.kept == {}


def test_a_gate_is_asked_here_and_the_answer_goes_there(tmp_path: Path) -> None:
    question, answers = samples.question(), list[str]()

    def does(made: Fleet, taken: TakenPart) -> None:
        made.parts.ask(taken.id, taken.attempt, question_text(question))
        telling = PartTelling(part=taken.id, attempt=taken.attempt, number=taken.number)
        for _ in range(2000):
            if answer := made.parts.meanwhile([telling], SystemClock().now().utc)[taken.id].answer:
                answers.append(msgspec.json.decode(answer)["answer"])
                break
            threading.Event().wait(0.01)
        made.parts.ask(taken.id, taken.attempt, "")
        made.ends(taken)

    with fleet(tmp_path) as made:
        made.run(does)
        assert answers == ["yes", "yes"]
        assert set(map(question_text, made.approver.asked)) == {question_text(question)}


def test_whoever_stops_takes_back_what_was_not_begun_and_is_told_how_the_rest_ended(tmp_path: Path) -> None:
    def does(made: Fleet, taken: TakenPart) -> None:
        made.stop.set()
        telling = PartTelling(part=taken.id, attempt=taken.attempt, number=taken.number)
        for _ in range(2000):
            if made.parts.meanwhile([telling], SystemClock().now().utc)[taken.id].stop:
                break
            threading.Event().wait(0.01)
        made.ends(taken, "interrupted", why="a person asked to stop")

    with fleet(tmp_path) as made:
        reports = {report.host: (report.outcome, report.why) for report in made.run(does)}
        [first] = made.begun
        assert reports.pop(first) == ("interrupted", "a person asked to stop")
        assert set(reports.values()) == {("not_begun", "a person asked to stop")}


def test_when_enough_have_failed_no_other_host_is_begun(tmp_path: Path) -> None:
    with fleet(tmp_path, Rollout(serial=("1",))) as made:
        reports = made.run(lambda made, taken: made.ends(taken, "failed"))
        assert [report.outcome for report in reports] == ["failed", "not_begun"]
        assert "1 host failed (web-1)" in reports[1].why
        assert made.begun == ["web-1"]


def test_a_part_that_goes_on_elsewhere_is_followed_and_not_handed_out_again(tmp_path: Path) -> None:
    with fleet(tmp_path) as made:
        made.running._place()
        for part in PARTS.values():
            taken = made.parts.begin(part, SystemClock().now().utc)
            assert taken is not None
            made.ends(taken)
        reports = made.run(lambda *_: None, working=False)
        assert [report.outcome for report in reports] == ["resolved", "resolved"]
        assert made.jobs.kept == {}


def test_each_host_has_a_run_of_its_own() -> None:
    assert list(PARTS) == ["web-1", "web-2"]
    assert len(set(PARTS.values())) == 2


def test_a_runbook_by_its_path_and_a_host_that_is_another_one_elsewhere_are_refused() -> None:
    with pytest.raises(UsageError, match="by its name, not by a path"):
        refuse_kept_here("./small.yaml", {})
    with pytest.raises(UsageError, match="local is another host on each control node"):
        part_ids([HOSTS[0], Host("local", transport=LOCAL)])


def test_a_part_that_its_worker_left_and_nobody_else_takes_ends_for_whoever_waits_no_longer(tmp_path: Path) -> None:
    def does(made: Fleet, taken: TakenPart) -> None:
        made.parts.beat(["default"], 1, SystemClock().now().utc, stopped=True)
        made.stop.set()

    with fleet(tmp_path) as made:
        reports = made.run(does)
        why = "node-1 is not heard of any more, and no worker of site default is there"
        begun = [report for report in reports if report.host in made.begun]
        assert {(report.outcome, report.why) for report in begun} == {("interrupted", why)}
        assert all("runbook resume" in report.hint for report in begun)
        assert {report.outcome for report in reports if report not in begun} <= {"not_begun"}


def test_that_another_node_goes_on_is_told_once(tmp_path: Path) -> None:
    def does(made: Fleet, taken: TakenPart) -> None:
        threading.Event().wait(0.2)
        again = WorkerParts(made.parts.store, "node-2-worker", "node-2").begin(taken.id, SystemClock().now().utc)
        assert again is not None
        threading.Event().wait(0.2)
        made.ends(again)

    with fleet(tmp_path) as made:
        assert [report.outcome for report in made.run(does)] == ["resolved", "resolved"]
        said = sorted(cast("Told", made.running.notice).remarks)
    words = "node-1 is not heard of any more, or has stopped; node-2 goes on with it"
    assert said == [f"web-1: {words}", f"web-2: {words}"]
