"""What a look finds: the host's mark first, then the target itself."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest
from tests.lab import small

from memrunbook.core.action.action import Decision
from memrunbook.core.errors import Refused
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import LookedAt
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.looking import look_at, looked
from memrunbook.core.run.progress import Progress
from memrunbook.core.run.request import Asking, Look, Record, Seen, Waited

OPEN = OpenStep(
    run="R1", runbook="lab", host="lab", step="act", action="adjust", target="web", summary="Adjust web",
    started="2026-11-29T03:12:07.000Z", record="h1", identity="web 100", boot_id="boot", touches="web.service",
)  # fmt: skip
AT = Instant(1.0, 1.0)


class Renewing(small.Adjust, frozen=True, kw_only=True):
    """An adjustment that gives its service another main process."""

    renews: ClassVar[bool] = True

    @property
    def word(self) -> str:
        return "adjust"

    def decide(self, snapshot: Snapshot) -> Decision:
        return super().decide(snapshot)


def progress(*, pid: int = 100, boot: str = "boot", renews: bool = True, **readings: Any) -> Progress:
    step = small.step(values={"unit": "web", "kind": "once"})
    object.__setattr__(step, "action", Renewing if renews else small.Adjust)
    units = {"units": small.Units(all=(small.Service(name="web", main_pid=pid),))} | readings
    snapshot = small.snapshot(memory=small.Memory(available_percent=5.0), **units)
    return Progress(small.runbook(step), msgspec.structs.replace(snapshot, identity=HostIdentity(boot_id=boot)))


def told(asking: Asking[Any], seen: Seen | None = None) -> tuple[Any, list[Any]]:
    """What a look comes to where the host says this, and what it asked for."""
    asked: list[Any] = []
    try:
        request = next(asking)
        while True:
            asked.append(request)
            request = asking.send(seen if isinstance(request, Look) else Waited(AT))
    except StopIteration as end:
        return end.value, asked


@pytest.mark.parametrize(
    ("seen", "found", "why"),
    [
        (Seen(AT, "ended"), "done", "ended well"),
        (Seen(AT, "ended", 3), "failed", "ended with status 3"),
        (Seen(AT, "absent"), "not-done", "never began"),
        (Seen(AT, "begun"), "unknown", "how it ended is not on the host"),
        (Seen(AT, "unseen", why="no mark"), "unknown", "no mark"),
    ],
)
def test_the_mark_on_the_host_says(seen: Seen, found: str, why: str) -> None:
    look, asked = told(looked(progress(renews=False), OPEN), seen)
    assert (look.found, look.settled) == (found, found != "unknown")
    assert why in look.why
    assert asked == [Look("R1", "h1", "web.service"), Record(look)]
    assert (look.run, look.step, look.record, look.once) == ("R1", "act", "h1", True)


@pytest.mark.parametrize(
    "opened", [OPEN, msgspec.structs.replace(OPEN, undo=True), msgspec.structs.replace(OPEN, once=False)]
)
def test_what_is_still_at_work_is_recorded_and_nothing_is_done_beside_it(opened: OpenStep) -> None:
    asking = looked(progress(), opened)
    assert isinstance(next(asking), Look)
    record = asking.send(Seen(AT, "at-work", why="its process 17 (sleep) is still at work on the host"))
    assert isinstance(record, Record)
    assert isinstance(record.event, LookedAt)
    assert (record.event.found, record.event.settled) == ("unknown", False)
    with pytest.raises(Refused, match=r"act of run R1, started 03:12:07 UTC: its process 17 \(sleep\)") as refused:
        asking.send(Waited(AT))
    assert "wait until it has ended" in refused.value.hint


def test_what_is_no_unit_is_not_asked_for_as_one() -> None:
    _, asked = told(looked(progress(), msgspec.structs.replace(OPEN, touches="web")), Seen(AT, "absent"))
    assert asked[0] == Look("R1", "h1", "")


@pytest.mark.parametrize(("answer", "found"), [("done", "done"), ("failed", "failed")])
def test_what_the_journal_knows_is_not_asked(answer: Any, found: str) -> None:
    look, asked = told(looked(progress(), msgspec.structs.replace(OPEN, answer=answer)))
    assert (look.found, asked) == (found, [Record(look)])


@pytest.mark.parametrize(
    ("seen", "pid", "found", "why"),
    [
        (Seen(AT, "begun"), 101, "done", "web is in another run than before it"),
        (Seen(AT, "unseen"), 101, "done", "web is in another run than before it"),
        (Seen(AT, "begun"), 100, "not-done", "web is still in the run that it was in before"),
        (Seen(AT, "unseen", why="gone"), 100, "unknown", "gone"),
    ],
)
def test_who_is_renewed_by_success_tells_itself(seen: Seen, pid: int, found: str, why: str) -> None:
    look, _ = told(looked(progress(pid=pid), OPEN), seen)
    assert (look.found, look.why) == (found, why)


def test_after_a_reboot_the_target_tells_nothing() -> None:
    look, _ = told(looked(progress(pid=101, boot="later"), OPEN), Seen(AT, "unseen", why="gone"))
    assert look.found == "unknown"
    assert "rebooted" in look.why
    for boot, opened in (("", OPEN), ("later", msgspec.structs.replace(OPEN, boot_id=""))):
        look, _ = told(looked(progress(pid=101, boot=boot), opened), Seen(AT, "begun"))
        assert look.found == "done", "which boot it is, is not known: the target tells"


@pytest.mark.parametrize(
    "change",
    [{"undo": True}, {"identity": ""}, {"action": "sing"}, {"target": "db"}],
)
def test_a_target_that_cannot_be_told_from_before_tells_nothing(change: dict[str, Any]) -> None:
    look, _ = told(looked(progress(pid=101), msgspec.structs.replace(OPEN, **change)), Seen(AT, "begun"))
    assert look.found == "unknown"


@pytest.mark.parametrize("units", [Unavailable("timeout", "no answer"), small.Units()])
def test_nor_does_one_that_is_not_to_be_seen(units: Any) -> None:
    look, _ = told(looked(progress(units=units), OPEN), Seen(AT, "begun"))
    assert look.found == "unknown"


def test_items_that_are_unknown_tell_nothing() -> None:
    step = small.step(for_each="units.all", values={"unit": "= item.name", "kind": "once"})
    object.__setattr__(step, "action", Renewing)
    gone = small.snapshot(memory=small.Memory(available_percent=5.0), units=Unavailable("timeout", "no answer"))
    look, _ = told(looked(Progress(small.runbook(step), gone), OPEN), Seen(AT, "begun"))
    assert look.found == "unknown"


def test_what_was_being_taken_back_is_said_and_is_not_held_against_the_change() -> None:
    look, _ = told(looked(progress(), msgspec.structs.replace(OPEN, undo=True)), Seen(AT, "ended"))
    assert (look.summary, look.once) == ("taking back: Adjust web", False)


def test_each_open_step_is_looked_at_and_kept() -> None:
    going = progress()
    told(look_at(going, [OPEN, msgspec.structs.replace(OPEN, record="h2")]), Seen(AT, "ended"))
    assert [(look.record, look.found) for look in going.looks] == [("h1", "done"), ("h2", "done")]
