"""A run over its hosts: who is begun when, what is told of that, and who is left whatever ends it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from memrunbook.app.notice import Notice
from memrunbook.app.rolling import Rolling, those_left, write_names
from memrunbook.core.errors import JournalError, NotBegun, UsageError
from memrunbook.core.host import Host, parse_hosts
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.runtime.life import Life

HOSTS = tuple(parse_hosts(["ada@web1:2222,web2,web3,web4,web5"]))
NAMES = [host.name for host in HOSTS]


@dataclass
class Told(Notice):
    """What is told of a run, in lines."""

    lines: list[str] = field(default_factory=list)

    def batch(self, number: int, count: int, hosts: Sequence[Host]) -> None:
        self.lines.append(f"{number}/{count}: {' '.join(host.name for host in hosts)}")

    def not_begun(self, hosts: Sequence[str], why: str) -> None:
        self.lines.append(f"not begun: {' '.join(hosts)}: {why}")


@dataclass
class Fleet:
    """Hosts that end as they are told to; one that is not begun any more ends as that, as a run's do."""

    rollout: Rollout
    ends: dict[str, Reported] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    stop: threading.Event = field(default_factory=threading.Event)
    stops_at: str = ""

    def __post_init__(self) -> None:
        self.rolling = Rolling.of(self.rollout, HOSTS)

    def life(self, host: Host) -> Life[HostReport]:
        try:
            self.rolling.heed(self.stop)
        except NotBegun as why:
            return HostReport(host=host.name, outcome="not_begun", steps=(), why=why.message)
        self.begun.append(host.name)
        if host.name == self.stops_at:
            self.stop.set()
        return HostReport(host=host.name, outcome=self.ends.get(host.name, "resolved"), steps=())
        yield  # it is a life that never waits

    def run(self, due: Sequence[Host] = HOSTS) -> list[str]:
        reports = self.rolling.run(due, self.life, 1, self.stop, self.told)
        return [report.outcome for report in reports]


def test_the_reports_stand_in_the_order_of_the_hosts_and_each_batch_is_told() -> None:
    fleet = Fleet(Rollout(serial=("1", "50%")), {"web4": "healthy"})
    assert fleet.run() == ["resolved", "resolved", "resolved", "healthy", "resolved"]
    assert fleet.told.lines == ["1/3: web1", "2/3: web2 web3", "3/3: web4 web5"]


def test_one_batch_alone_is_not_told() -> None:
    fleet = Fleet(Rollout(max_failures="1"))
    fleet.run()
    assert fleet.told.lines == []


def test_of_a_run_that_goes_on_only_who_is_due_is_begun_in_the_batches_of_the_whole_run() -> None:
    fleet = Fleet(Rollout(serial=("2",)))
    assert fleet.run([HOSTS[3], HOSTS[4]]) == ["resolved", "resolved"]
    assert fleet.begun == ["web4", "web5"]
    assert fleet.told.lines == ["2/3: web4", "3/3: web5"]


def test_who_is_not_begun_is_told_with_all_that_have_failed_by_then() -> None:
    """The first of them may have been left out when there were fewer."""
    fleet = Fleet(Rollout(max_failures="1"), {"web1": "failed"})
    plain = fleet.life

    def fails_late(host: Host) -> Life[HostReport]:
        report = yield from plain(host)
        if host.name == "web4":  # it was at work when the first one failed
            return HostReport(host=host.name, outcome="failed", steps=())
        return report

    reports = fleet.rolling.run(HOSTS, fails_late, 1, fleet.stop, fleet.told)
    assert reports[1].why == "1 host failed (web1), --max-failures 1"
    assert fleet.told.lines == ["not begun: web2 web3 web5: 2 hosts failed (web1, web4), --max-failures 1"]


def test_after_ctrl_c_no_batch_is_said_to_begin_and_who_is_not_begun_is_told() -> None:
    fleet = Fleet(Rollout(serial=("2",)), stops_at="web2")
    fleet.run()
    assert fleet.told.lines == ["1/3: web1 web2", "not begun: web3 web4 web5: a person asked to stop"]
    assert fleet.rolling.stopped


def test_who_is_not_begun_for_failures_was_not_stopped_by_a_person() -> None:
    fleet = Fleet(Rollout(max_failures="1"), {"web1": "failed"})
    fleet.run()
    assert not fleet.rolling.stopped


def ended(**outcomes: Reported) -> dict[str, HostReport]:
    return {name: HostReport(host=name, outcome=outcome, steps=()) for name, outcome in outcomes.items()}


def test_all_are_left_until_they_have_ended_well_and_as_they_are_typed(tmp_path: Path) -> None:
    file, known = tmp_path / "left", ended(web1="healthy")
    with those_left(str(file), HOSTS, known):
        assert file.read_text().split() == ["web2", "web3", "web4", "web5"]
        known |= ended(web2="resolved", web3="improved", web4="not_begun")
    assert file.read_text() == "web3\nweb4\nweb5\n"
    write_names(str(file), HOSTS)
    assert file.read_text().splitlines()[0] == "ada@web1:2222"


def cut_off(file: Path, error: BaseException, *, folder: bool = True) -> None:
    """A run that ends so when its first host is resolved; without its `folder` no file can be written any more."""
    known = ended()
    with those_left(str(file), HOSTS, known):
        known |= ended(web1="resolved")
        if not folder:
            file.unlink()
            file.parent.rmdir()
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), JournalError("full"), RuntimeError()])
def test_whatever_ends_a_run_the_file_says_who_was_left(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        cut_off(tmp_path / "left", error)
    assert (tmp_path / "left").read_text().split() == NAMES[1:]


def test_what_breaks_a_run_is_told_and_not_that_its_file_is_gone_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalError, match="no space"):
        cut_off(tmp_path / "folder" / "left", JournalError("no space"), folder=False)


def test_a_run_that_has_ended_is_told_though_its_file_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "left"
    file.parent.mkdir()
    with those_left(str(file), HOSTS, {}) as left:
        file.unlink()
        file.parent.rmdir()
    assert left.error is not None
    assert "cannot be written" in left.error.message
    assert "the run itself has ended" in left.error.hint


def test_a_file_that_cannot_be_written_is_a_mistake_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written") as told:
        cut_off(tmp_path / "none" / "left", RuntimeError())
    assert told.value.where == f"--retry-file {tmp_path}/none/left"


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with those_left("", HOSTS, {}):
        write_names("", HOSTS)
    assert list(tmp_path.iterdir()) == []
