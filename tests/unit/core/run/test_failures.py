"""Which ends count as failures, and that no host is locked when there are enough of them."""

from __future__ import annotations

from typing import get_args

import pytest

from memrunbook.core.errors import NotBegun, Refused
from memrunbook.core.instant import Instant
from memrunbook.core.run.batches import Share
from memrunbook.core.run.event import Outcome, RunFinished, StepFinished, StepState
from memrunbook.core.run.failures import FAILURES, WELL, Failures, has_failed, unless_enough_failed
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.request import Asking, Lock, ReadFacts, Record, Unlock, Waited, ask

NOW = Waited(Instant(0.0, 0.0))


def ended(outcome: Outcome, host: str = "web1", *steps: StepState) -> HostReport:
    done = tuple(StepFinished(id="a", name="a", action="a", state=state) for state in steps)
    return HostReport(host, outcome, done)


def test_what_went_wrong_counts_and_a_no_does_not() -> None:
    outcomes: tuple[Outcome, ...] = get_args(Outcome)
    counted = {outcome for outcome in outcomes if has_failed(ended(outcome))}
    assert counted == FAILURES == {"failed", "unresolved", "unknown", "unreachable"}
    assert not counted & WELL
    assert not has_failed(ended("refused", "web1", "done", "refused"))
    assert has_failed(ended("refused", "web1", "undone", "refused"))


def test_when_as_many_have_failed_as_may_no_other_is_begun() -> None:
    failures = Failures(10, Share(2))
    failures.count(ended("resolved"))
    failures.count(ended("failed", "web2"))
    failures.heed()
    failures.count(ended("unreachable", "web3"))
    with pytest.raises(NotBegun, match=r"^2 hosts failed \(web2, web3 unreachable\), --max-failures 2$") as told:
        failures.heed()
    assert "--retry-file" in told.value.hint
    assert set(failures.ended) == {"web1", "web2", "web3"}


def test_percent_are_of_all_hosts() -> None:
    failures = Failures(25, Share(10, percent=True))
    for number in range(3):
        assert failures.reached() is None
        failures.count(ended("failed", f"web{number}"))
    assert str(failures.reached()).endswith("--max-failures 10% of 25 hosts")


def test_without_a_limit_any_number_may_fail() -> None:
    failures = Failures(3)
    for number in range(3):
        failures.count(ended("failed", f"web{number}"))
    assert failures.reached() is None


def reads_and_locks() -> Asking[None]:
    yield from ask(ReadFacts((), 1, 0.0, "diagnosis"))
    try:
        yield from ask(Lock())
    except Refused as error:
        yield from ask(Record(RunFinished("not_begun", str(error))))
        return
    yield from ask(Unlock())


def test_who_has_only_read_does_not_lock_its_host_any_more() -> None:
    failures = Failures(2, Share(1))
    run = unless_enough_failed(reads_and_locks(), failures)
    assert isinstance(next(run), ReadFacts)
    failures.count(ended("failed", "web2"))
    told = run.send(NOW)
    assert isinstance(told, Record)
    assert told.event == RunFinished("not_begun", "1 host failed (web2), --max-failures 1")
    with pytest.raises(StopIteration):
        run.send(NOW)


def test_who_holds_its_lock_goes_on_to_its_end() -> None:
    failures = Failures(2, Share(1))
    run = unless_enough_failed(reads_and_locks(), failures)
    next(run)
    assert isinstance(run.send(NOW), Lock)
    failures.count(ended("failed", "web2"))
    assert isinstance(run.send(NOW), Unlock)


def test_an_error_is_thrown_in_as_without_it() -> None:
    run = unless_enough_failed(reads_and_locks(), Failures())
    next(run)
    run.send(NOW)
    told = run.throw(Refused("somebody else has it"))
    assert isinstance(told, Record)
    assert told.event.told == "not_begun: somebody else has it"
