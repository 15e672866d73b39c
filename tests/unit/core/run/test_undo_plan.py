"""What of a run is taken back, not needed, or left alone, and in which words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab import small
from tests.unit.core.run.test_made import AT, CHANGE

from memrunbook.core.action.action import Undo
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.reading.rules import HostRules
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.made import Made, reversal
from memrunbook.core.run.request import Compared, TakesBack
from memrunbook.core.run.undo_plan import RunToUndo, decide

MADE = Made(step="swap-less", change=CHANGE, end="done", at=AT.utc)
UNDONE = Made(step="swap-less", change=reversal(CHANGE), end="done", at=AT.utc, of=TakesBack(CHANGE, "R"))
SAID = "/proc/sys/vm/swappiness is 30, not 10 as we left it: somebody else has changed it"


def snapshot(seconds: float = 60.0, boot: str = "boot") -> Snapshot:
    now = Instant(AT.utc + seconds, AT.monotonic + seconds)
    return msgspec.structs.replace(small.snapshot(), taken_at=now, identity=HostIdentity(boot_id=boot))


def planned(
    one: Made = MADE, state: Any = "made", why: str = "", *, before: tuple[PlannedStep, ...] = (), **world: Any
) -> PlannedStep:
    past = RunToUndo(run="R", made=(one,), boot_id="boot", taken_back_by=world.pop("by", {}))
    looked = None if state is None else Compared(AT, state, why)
    return decide(past, one, looked, snapshot(**world), before)


def test_what_is_in_force_is_taken_back_and_says_what_it_undoes() -> None:
    step = planned()
    assert (step.decision, step.id, step.action, step.gate) == ("change", "swap-less", "set_sysctl", True)
    assert step.name == "vm.swappiness 60 -> 10"
    assert step.change == reversal(CHANGE)
    assert (step.verify, step.why, step.provisional) == ("the host shows that it is as it was before", "", False)


def test_what_config_yaml_forbids_is_not_taken_back_either() -> None:
    rules = HostRules((), "none", "config.yaml:3 says that undo changes nothing here", "act by hand")
    past = RunToUndo(run="R", made=(MADE,), boot_id="boot", taken_back_by={})
    seen = msgspec.structs.replace(snapshot(), rules=rules)
    step = decide(past, MADE, Compared(AT, "made"), seen, ())
    assert (step.decision, step.change, step.rule, step.hint) == ("blocked", None, True, "act by hand")
    assert step.why == "config.yaml:3 says that undo changes nothing here: this is of risk low"
    assert decide(past, MADE, Compared(AT, "back"), seen, ()).decision == "not_needed"


def test_an_item_keeps_its_name() -> None:
    step = planned(msgspec.structs.replace(MADE, step="restart/web.service"))
    assert (step.id, step.item, step.label) == ("restart", "web.service", "restart/web.service")


def test_what_somebody_else_has_changed_is_left_alone_and_said() -> None:
    step = planned(state="changed", why=SAID)
    assert (step.decision, step.change) == ("blocked", None)
    assert step.why == "vm.swappiness is 30 now; we set 10: not ours any more"
    assert step.hint == "act by hand where it is wanted; the run did: sysctl vm.swappiness=10"
    other = planned(state="changed", why="1 pages of 2048 KiB would leave less than a tenth of RAM available")
    assert other.why == "1 pages of 2048 KiB would leave less than a tenth of RAM available"


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"state": "back"}, "it is as it was before already: somebody took it back"),
        ({"state": "back", "by": {"swap-less": "U"}}, "run U took it back"),
        ({"state": "back", "seconds": 7200.0}, "the host itself took it back after 2 h"),
        ({"state": "gone", "why": "process 7 is gone"}, "process 7 is gone: there is nothing to take back"),
        ({"state": "gone"}, "what was changed is gone: there is nothing to take back"),
        (
            {"state": "changed", "why": SAID, "by": {"swap-less": "U"}},
            "run U took it back; vm.swappiness is 30 now; we set 10: not ours any more",
        ),
        ({"state": "back", "boot": "another"}, "the host was restarted since, which took it back"),
        (
            {"state": "made", "boot": "another"},
            "the host was restarted since, which took it back; what is there now was set at boot, not by this run",
        ),
    ],
)
def test_what_is_back_already_is_not_needed_and_says_who_did_it(world: dict[str, Any], why: str) -> None:
    step = planned(**world)
    assert (step.decision, step.why) == ("not_needed", why)


def test_what_the_run_took_back_itself_is_not_looked_at() -> None:
    one = msgspec.structs.replace(MADE, taken_back=True)
    assert planned(one, None).why == "the run itself took it back"
    assert RunToUndo(run="R").known(one) == "the run itself took it back"
    assert RunToUndo(run="R").known(MADE) == ""


def test_what_outlives_a_reboot_is_taken_back_after_one() -> None:
    undo = Undo("back", "back", lasting=True)
    kept = msgspec.structs.replace(MADE, change=msgspec.structs.replace(CHANGE, undo=undo))
    assert planned(kept, boot="another").decision == "change"
    assert planned(boot="").decision == "change", "which boot it is in could not be read"


def test_what_cannot_be_taken_back_says_why() -> None:
    bare = msgspec.structs.replace(MADE, change=msgspec.structs.replace(CHANGE, undo=None, command=""))
    assert planned(bare, None).decision == "blocked"
    assert planned(bare, None).why == "it cannot be taken back: set_sysctl has no undo"
    assert planned(bare, None).hint.endswith("the run did: vm.swappiness 60 -> 10")
    hidden = msgspec.structs.replace(CHANGE, undo=Undo("back", "back", ("--token", "[redacted]")))
    step = planned(msgspec.structs.replace(MADE, change=hidden), None)
    assert step.why == "it cannot be taken back: the journal hides a secret that its undo needs ([redacted])"


def test_what_cannot_be_looked_at_is_seen_by_its_undo() -> None:
    step = planned(state="unknown")
    assert (step.decision, step.why) == (
        "change",
        "it cannot be looked at: its undo itself sees whether it is still ours",
    )


def test_a_later_change_of_the_same_is_taken_back_first() -> None:
    first = planned(msgspec.structs.replace(MADE, step="later"))
    step = planned(state="changed", why=SAID, before=(first,))
    assert (step.decision, step.provisional) == ("change", True)
    elsewhere = msgspec.structs.replace(reversal(CHANGE), target="vm.other", args=("/proc/sys/vm/swappiness",))
    same_file = msgspec.structs.replace(first, change=elsewhere)
    assert planned(state="changed", why=SAID, before=(same_file,)).provisional
    other = msgspec.structs.replace(first, change=msgspec.structs.replace(elsewhere, args=("/proc/x",)))
    for before in (other, msgspec.structs.replace(first, change=None)):
        assert planned(state="changed", why=SAID, before=(before,)).decision == "blocked"


@pytest.mark.parametrize(
    ("state", "decision"), [("back", "change"), ("made", "not_needed"), ("changed", "blocked"), ("gone", "not_needed")]
)
def test_an_undo_of_an_undo_makes_the_change_again(state: str, decision: str) -> None:
    step = planned(UNDONE, state, SAID)
    assert step.decision == decision
    if decision == "change":
        assert step.change == CHANGE
        assert step.verify == "the host shows that it is as the run had made it"
    if decision == "blocked":
        assert step.why == "vm.swappiness is 30 now; before the undo it was 10: not ours any more"


def test_a_conflict_is_what_could_have_been_taken_back() -> None:
    def end(step: str, state: Any) -> StepFinished:
        name, _, item = step.partition("/")
        return StepFinished(id=name, name=name, action="a", item=item, state=state)

    bare = Made(step="restart/web", change=msgspec.structs.replace(CHANGE, undo=None))
    past = RunToUndo(run="R", made=(MADE, bare))
    assert past.conflicts([end("swap-less", "blocked"), end("restart/web", "blocked")])
    assert not past.conflicts([end("swap-less", "done"), end("restart/web", "blocked")])
    assert (past.name, past.digest) == ("undo of R", "")
