"""What a journal says was made, and the change that takes it back."""

from __future__ import annotations

import msgspec
import pytest

from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.made import Made, boot_of, made, reversal
from memrunbook.core.run.record import Answered, Asked, Envelope, NotAnswered
from memrunbook.core.run.request import Done, Execute, Failed, TakesBack, Told, Unknown, Wait, Waited

AT = Instant(1_700_000_000.0, 5.0)
CHANGE = Change(
    action="set_sysctl",
    summary="vm.swappiness 60 -> 10",
    target="vm.swappiness",
    script="act",
    args=("/proc/sys/vm/swappiness", "10"),
    risk=Risk.LOW,
    repeat=Repeat.IDEMPOTENT,
    undo=Undo("vm.swappiness back to 60", "back", ("/proc/sys/vm/swappiness", "10", "60")),
    command="sysctl vm.swappiness=10",
    back_after=7200.0,
    settle=3.0,
    timeout=9.0,
)
OTHER = msgspec.structs.replace(CHANGE, target="vm.other", summary="vm.other 1 -> 2")


def asked(change: Change = CHANGE, *, undo: bool = False, step: str = "swap-less") -> Asked:
    return Asked(Execute(step, change, undo))


def told(answer: Told) -> Answered:
    return Answered(answer)


def only(*envelopes: Envelope) -> Made:
    [found] = made(envelopes)
    return found


def test_changes_come_in_the_order_they_were_made_and_reads_are_none() -> None:
    read = msgspec.structs.replace(OTHER, repeat=Repeat.READ)
    found = made([asked(), told(Done(AT)), asked(read), told(Done(AT)), asked(OTHER, step="b/x"), told(Done(AT))])
    assert [(one.step, one.change.target, one.end, one.at) for one in found] == [
        ("swap-less", "vm.swappiness", "done", AT.utc),
        ("b/x", "vm.other", "done", AT.utc),
    ]


@pytest.mark.parametrize(
    ("answer", "end"), [(Done(AT), "done"), (Failed(AT, "half way"), "failed"), (Unknown(AT, "lost"), "unknown")]
)
def test_what_was_begun_may_have_changed_something_however_it_ended(answer: Told, end: str) -> None:
    assert only(asked(), told(answer)).end == end


def test_a_question_without_an_answer_may_have_been_carried_out() -> None:
    assert (only(asked()).end, only(asked()).at) == ("unknown", 0.0)


def test_what_was_never_begun_is_nothing_to_take_back() -> None:
    assert made([asked(), NotAnswered("Interrupted", "Ctrl-C")]) == ()
    assert made([asked(), told(Failed(AT, "no timer", untouched=True))]) == ()


def test_a_second_try_that_was_not_begun_takes_nothing_from_the_first() -> None:
    tries = [asked(), told(Failed(AT, "half way")), asked()]
    assert only(*tries, NotAnswered("Interrupted", "Ctrl-C")).end == "failed"
    assert only(*tries, told(Failed(AT, "no timer", untouched=True))).end == "failed"
    assert only(*tries, told(Done(AT))).end == "done"


def test_what_the_run_took_back_itself_is_known() -> None:
    assert only(asked(), told(Done(AT)), asked(undo=True), told(Done(AT))).taken_back
    assert not only(asked(), told(Done(AT)), asked(undo=True), told(Failed(AT, "not ours"))).taken_back
    assert not only(asked(), told(Done(AT)), asked(undo=True)).taken_back


def test_an_answer_to_another_question_says_nothing_of_the_change() -> None:
    assert only(asked(), Asked(Wait(1.0, "a wait")), told(Waited(AT))).end == "unknown"
    assert made([asked(undo=True), told(Done(AT))]) == ()


def test_taking_back_is_a_change_of_its_own_that_can_be_taken_back() -> None:
    back = reversal(CHANGE)
    assert (back.action, back.target, back.summary) == ("set_sysctl", "vm.swappiness", "vm.swappiness back to 60")
    assert (back.script, back.args) == ("back", ("/proc/sys/vm/swappiness", "10", "60"))
    assert (back.settle, back.timeout, back.back_after) == (3.0, 9.0, 0.0)
    assert back.digest != CHANGE.digest
    assert back.undo is not None
    assert (back.undo.script, back.undo.args, back.undo.mode) == ("act", CHANGE.args, "offer")
    assert "sysctl vm.swappiness=10" in back.command
    assert back.costs == "what the change had gained is lost again"


@pytest.mark.parametrize(
    ("risk", "mode", "expected"),
    [
        (Risk.LOW, "auto", Risk.LOW),
        (Risk.HIGH, "auto", Risk.MEDIUM),
        (Risk.LOW, "offer", Risk.HIGH),
        (Risk.MEDIUM, "offer", Risk.HIGH),
    ],
)
def test_what_is_only_offered_is_typed_by_name(risk: Risk, mode: str, expected: Risk) -> None:
    undo = msgspec.structs.replace(CHANGE.undo, mode=mode, costs="minutes")
    back = reversal(msgspec.structs.replace(CHANGE, risk=risk, undo=undo))
    assert (back.risk, back.costs) == (expected, "minutes")


def test_what_has_no_undo_has_no_way_back() -> None:
    change = msgspec.structs.replace(CHANGE, undo=None)
    assert Made(step="a", change=change).way_back is None
    assert not Made(step="a", change=change).lasting
    with pytest.raises(ValueError, match="no undo"):
        reversal(change)


def test_the_way_back_of_an_undo_is_the_change_itself() -> None:
    undone = Made(step="a", change=reversal(CHANGE), of=TakesBack(CHANGE, "R"))
    assert undone.way_back == CHANGE
    assert undone.original == CHANGE
    assert Made(step="a", change=CHANGE).original == CHANGE


def test_what_outlives_a_reboot_says_so_or_is_known_by_its_file() -> None:
    def lasting(undo: Undo) -> bool:
        return Made(step="a", change=msgspec.structs.replace(CHANGE, undo=undo)).lasting

    assert not lasting(Undo("back", "back", ("/proc/sys/vm/x",)))
    assert lasting(Undo("back", "back", lasting=True))
    assert lasting(Undo("back", "back", ("/etc/sysctl.d/60-x.conf",)))


def test_the_last_reading_says_which_machine_and_boot_it_was() -> None:
    def read(machine: str, boot: str) -> Answered:
        return told(Snapshot("h", HostIdentity(machine_id=machine, boot_id=boot), AT, {}, samples=1, span=0.0))

    assert boot_of([]) == ("", "")
    assert boot_of([read("m", "b1"), told(Done(AT)), read("", "b2")]) == ("m", "b2")
    assert boot_of([read("m", "b1"), read("m", "")]) == ("m", "b1")
