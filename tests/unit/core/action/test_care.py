"""What `services.yaml` asks for around a change: composed, and run in every shell that hosts have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.actions.shells import Machine, Result

from memrunbook.actions.shared.scripts import LOOK_ONLY, WOULD_ACT
from memrunbook.core.action.action import Change, Leaves, Repeat, Risk, Undo
from memrunbook.core.action.care import NOT_BEGUN, RUN, care_words, health_of, return_of, stays_out, with_care
from memrunbook.core.action.policy import Care
from memrunbook.core.reading.probe import quoted

ACT = 'printf \'%s\\n\' "acted $*" >>"$HOST/done"\nreturn 0\n'
BACK = f'[ -e "$HOST/done" ] || return 0\n{LOOK_ONLY}printf \'%s\\n\' "back $*" >>"$HOST/done"\n'
CHANGE = Change(
    action="restart_unit",
    summary="Restart api.service",
    target="api.service",
    script=ACT,
    args=("api.service", "it's $HOME"),
    risk=Risk.MEDIUM,
    repeat=Repeat.ONCE,
    undo=Undo("start it again", BACK, ("api.service",)),
    touches="api.service",
)
CARE = Care(health=("curl", "-f", "x y"), drain=("lb", "out"), undrain=("lb", "in"), drain_within=20.0)


def words(machine: Machine, name: str, *, status: int = 0) -> tuple[str, ...]:
    """A program that says that it ran, and ends with this status."""
    return (
        "sh",
        "-c",
        f'printf "%s\\n" "{name} $1" >>"$2"; exit {status}',
        "sh",
        "a 'b'",
        str(machine.folder / "done"),
    )


def done(machine: Machine) -> list[str]:
    path: Path = machine.folder / "done"
    return path.read_text().splitlines() if path.exists() else []


def run(machine: Machine, change: Change) -> Result:
    return machine.do(change.script, *change.args)


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ("down", {"drain", "return"}),
        ("anew", {"drain", "health", "return"}),
        ("up", {"health", "return"}),
        ("running", {"health"}),
        ("", set()),
    ],
)
def test_what_is_done_around_a_change_is_what_fits_how_it_leaves_the_service(
    leaves: Leaves, expected: set[str]
) -> None:
    made = with_care(CHANGE, CARE, leaves)
    assert {word for word, _ in care_words(made)} == expected
    assert (made.script != CHANGE.script) == ("drain" in expected)
    assert (health_of(made) is not None) == ("health" in expected)
    assert stays_out(made) == (leaves in ("down", "anew"))
    without = with_care(msgspec.structs.replace(CHANGE, undo=None), CARE, leaves)
    assert (return_of(without) is not None) == (leaves in ("anew", "up"))


def test_it_is_part_of_what_is_approved() -> None:
    digests = {
        change.digest
        for change in (
            CHANGE,
            with_care(CHANGE, CARE, "up"),
            with_care(CHANGE, msgspec.structs.replace(CARE, health=("true",)), "up"),
            with_care(CHANGE, CARE, "down"),
            with_care(CHANGE, msgspec.structs.replace(CARE, drain=("lb", "off")), "down"),
        )
    }
    assert len(digests) == 5
    assert care_words(CHANGE) == ()
    assert (health_of(CHANGE), return_of(CHANGE)) == (None, None)


def test_the_words_say_what_is_run_and_when() -> None:
    anew = with_care(msgspec.structs.replace(CHANGE, undo=None), CARE, "anew")
    assert care_words(anew) == (
        ("drain", "lb out, within 20 s; where it fails, nothing is changed"),
        ("health", "curl -f 'x y', exit status 0 within 2 min"),
        ("return", "lb in, when its health holds"),
    )
    bare = msgspec.structs.replace(CARE, health=())
    assert care_words(with_care(msgspec.structs.replace(CHANGE, undo=None), bare, "anew"))[1] == (
        "return",
        "lb in, then",
    )
    assert care_words(with_care(CHANGE, CARE, "down"))[1] == ("return", "lb in, when it is taken back")
    assert anew.timeout == CHANGE.timeout + 2 * 20.0 + 10.0
    health, back = health_of(anew), return_of(anew)
    assert health is not None
    assert back is not None
    assert (health.summary, health.risk, health.repeat) == (
        "Health of api.service: curl -f 'x y'", Risk.NONE, Repeat.READ,
    )  # fmt: skip
    assert (back.summary, back.timeout) == ("Put api.service back into service: lb in", 30.0)


def test_a_drained_service_is_touched_after_its_drain(machine: Machine) -> None:
    care = Care(drain=words(machine, "drained"), undrain=words(machine, "returned"))
    assert run(machine, with_care(CHANGE, care, "down")).status == 0
    assert done(machine) == ["drained a 'b'", "acted api.service it's $HOME"]


def test_a_drain_that_fails_stops_the_step_before_its_effect(machine: Machine) -> None:
    care = Care(drain=words(machine, "drained", status=7))
    ended = run(machine, with_care(CHANGE, care, "down"))
    assert ended.status == NOT_BEGUN
    assert ended.text == "exit status 7\nits drain failed, so it was not touched\n"
    assert done(machine) == ["drained a 'b'"]


@pytest.mark.parametrize(
    ("status", "said"),
    [(0, "it was put back into service"), (3, "it may be out of service: putting it back failed too")],
)
def test_what_was_half_drained_is_put_back(machine: Machine, status: int, said: str) -> None:
    care = Care(drain=words(machine, "drained", status=1), undrain=words(machine, "returned", status=status))
    ended = run(machine, with_care(CHANGE, care, "anew"))
    assert ended.status == NOT_BEGUN
    assert said in ended.text
    assert done(machine) == ["drained a 'b'", "returned a 'b'"]


def test_a_drain_without_an_end_is_ended(machine: Machine) -> None:
    ended = run(machine, with_care(CHANGE, Care(drain=("sleep", "60"), drain_within=1.0), "down"))
    assert ended.status == NOT_BEGUN
    assert ended.text.endswith("ended, as it took longer than 1 s\nits drain failed, so it was not touched\n")
    assert done(machine) == []


def test_a_program_that_is_not_there_is_a_drain_that_failed(machine: Machine) -> None:
    ended = run(machine, with_care(CHANGE, Care(drain=("no-such-program",)), "down"))
    assert (ended.status, "exit status 127" in ended.text) == (NOT_BEGUN, True)


def test_what_takes_it_back_puts_it_back_into_service(machine: Machine) -> None:
    made = with_care(CHANGE, Care(drain=words(machine, "drained"), undrain=words(machine, "returned")), "down")
    assert made.undo is not None
    assert made.undo.summary == "start it again, and put it back into service"
    run(machine, made)
    assert machine.look(made.undo.script, *made.undo.args).status == WOULD_ACT
    assert len(done(machine)) == 2, "a look changes nothing"
    assert _undone(machine, made).status == 0
    assert done(machine)[2:] == ["back api.service", "returned a 'b'"]


def test_a_way_back_that_fails_is_said(machine: Machine) -> None:
    made = with_care(CHANGE, Care(drain=("true",), undrain=("false",)), "down")
    run(machine, made)
    ended = _undone(machine, made)
    assert ended.status == 1
    assert "still out of service: putting it back failed" in ended.text


def test_a_look_at_health_ends_as_its_program_does(machine: Machine) -> None:
    assert machine.do(RUN, "5", quoted(("true",))).status == 0
    ended = machine.do(RUN, "5", quoted(("sh", "-c", "echo refused; exit 22")))
    assert (ended.status, ended.text) == (1, "refused\nexit status 22\n")


def _undone(machine: Machine, made: Change) -> Result:
    """As a session does it: the undo is a function body there."""
    undo: Any = made.undo
    return machine.do(undo.script, *undo.args)
