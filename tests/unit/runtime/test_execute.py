"""Carrying out a change: what reaches the host, what its end means, and the wrappers in real shells."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.runtime.real_shells import opened, program
from tests.unit.transports.shells import each_shell

from memrunbook.actions.shared.scripts import LOOK_ONLY
from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.action.care import NOT_BEGUN
from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Done, Failed, Unknown
from memrunbook.linux.hold import Mark, place, read_mark
from memrunbook.linux.switch import LOOK, SWITCHED_OFF
from memrunbook.runtime.execute import NO_LOOK, WITNESS, compare, execute, outcome, take_back
from memrunbook.runtime.holding import DISARM, SLEEPER, TIMER, HoldingRun
from memrunbook.runtime.ports import Output
from memrunbook.runtime.redaction import redact, redacted
from memrunbook.testing import Call, ScriptedSession

AT = Instant(1.0, 1.0)
CHANGE = Change(
    action="adjust",
    summary="Adjust web",
    target="web",
    script='printf "%s;" "$@"',
    args=("a b", "$(reboot)"),
    risk=Risk.LOW,
    repeat=Repeat.IDEMPOTENT,
    undo=Undo("back", 'printf "undo %s" "$1"', ("c $d",)),
    timeout=7.0,
)
TIMED = msgspec.structs.replace(CHANGE, back_after=90.4)
LINE = "runbook: run=R step=act"
HOLDER = HoldingRun("20261128T213000Z-abcd", "swap-thrashing")
UNIT = f"memrunbook-20261128t213000z-abcd-{TIMED.digest[:8]}"
MARK = place("adjust", CHANGE.args)
DISARMED = Call(DISARM, (UNIT, MARK), 20.0)


def ends(*outputs: Output) -> ScriptedSession:
    left = list(outputs)
    return ScriptedSession(lambda _: left.pop(0))


def test_the_script_gets_its_arguments_behind_the_witness() -> None:
    session = ends(Output(0, "fine", 1.5))
    assert execute(session, CHANGE, LINE, AT, HOLDER) == Done(AT, "fine", 1.5)
    (call,) = session.calls
    assert call.args == (LINE, "a b", "$(reboot)")
    assert call.timeout == 7.0
    assert call.script.startswith(f"{LOOK}{WITNESS}")
    assert CHANGE.script in call.script
    assert "$(reboot)" not in call.script


def test_what_takes_it_back_is_armed_first() -> None:
    session = ends(Output(0, ""), Output(0, ""))
    assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Done)
    armed, acted = session.calls
    after, timer, script, mark, written, *due = armed.args
    assert (armed.script, armed.timeout, after, timer, mark) == (TIMER, 20.0, "90", UNIT, MARK)
    assert due == [MARK, UNIT, "c $$d"]
    assert 'printf "undo %s" "$$1"' in script
    assert read_mark(f"{written}\nsince 7.5\n") == Mark(
        timer=UNIT, action="adjust", target="web", what="Adjust web", run=HOLDER.run, runbook="swap-thrashing",
        since=7.5, seconds=90.0,
    )  # fmt: skip
    assert CHANGE.script in acted.script


def test_without_that_nothing_is_changed() -> None:
    session = ends(Output(1, "no systemd here\n"))
    assert execute(session, TIMED, LINE, AT, HOLDER) == Failed(
        AT,
        "nothing was changed: what takes it back after its time could not be set: no systemd here",
        untouched=True,
    )
    assert len(session.calls) == 1
    assert "it said nothing" in str(execute(ends(Output(None, "", lost=True)), TIMED, LINE, AT, HOLDER))


def test_without_systemd_a_shell_sleeps_and_takes_it_back() -> None:
    session = ends(Output(9, ""), Output(0, ""), Output(0, ""))
    assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Done)
    _, slept, acted = session.calls
    assert slept.script == SLEEPER
    assert slept.args[:2] == ("90", UNIT)
    assert 'printf "undo %s" "$1"' in slept.args[2]
    assert slept.args[5:] == (MARK, UNIT, "c $d"), "no dollar is doubled: that is systemd's way"
    assert CHANGE.script in acted.script


LOOKS = Undo("back", f"{LOOK_ONLY}printf acted >&2", ("c $d",))


@pytest.mark.parametrize(
    ("status", "state"), [(5, "made"), (0, "back"), (4, "changed"), (3, "gone"), (1, "unknown"), (None, "unknown")]
)
def test_a_look_is_the_undo_that_does_not_act(status: int | None, state: str) -> None:
    session = ends(Output(status, "it is\n30 --token x"))
    found = compare(session, LOOKS, lambda: AT)
    assert (found.at, found.state) == (AT, state)
    assert found.why == ("the host did not say within 30 s" if status is None else "it is 30 --token [redacted]")
    assert session.calls[0].args == ("c $d",)


def test_an_undo_that_cannot_look_is_not_run() -> None:
    assert CHANGE.undo is not None
    session = ends()
    assert (compare(session, CHANGE.undo, lambda: AT).state, compare(session, CHANGE.undo, lambda: AT).why) == (
        "unknown",
        NO_LOOK,
    )
    assert session.calls == []


def test_a_change_that_failed_keeps_its_timer_until_it_was_taken_back() -> None:
    session = ends(Output(0, ""), Output(1, "half way"), Output(0, ""), Output(0, ""))
    assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Failed)
    assert len(session.calls) == 2
    assert isinstance(take_back(session, TIMED, LINE, AT, HOLDER), Done)
    assert session.calls[-1] == DISARMED


def test_a_change_whose_end_is_not_known_keeps_its_timer() -> None:
    session = ends(Output(0, ""), Output(None, "", timed_out=True))
    assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Unknown)
    assert len(session.calls) == 2


def test_a_change_without_an_undo_has_no_timer() -> None:
    session = ends(Output(0, ""))
    execute(session, msgspec.structs.replace(TIMED, undo=None), LINE, AT, HOLDER)
    assert len(session.calls) == 1
    failed = ends(Output(1, ""))
    execute(failed, CHANGE, LINE, AT, HOLDER)
    assert len(failed.calls) == 1


def test_taking_back_runs_the_undo_and_stops_its_timer() -> None:
    session = ends(Output(0, "back"), Output(0, ""))
    assert take_back(session, TIMED, LINE, AT, HOLDER) == Done(AT, "back")
    assert session.calls[0].args == (LINE, "c $d")
    assert session.calls[0].timeout == 7.0
    assert TIMED.undo is not None
    assert TIMED.undo.script in session.calls[0].script
    assert session.calls[1] == DISARMED


@pytest.mark.parametrize("change", [CHANGE, TIMED])
def test_taking_back_that_failed_leaves_the_timer_alone(change: Change) -> None:
    session = ends(Output(4, "not ours"))
    assert take_back(session, change, LINE, AT, HOLDER) == Failed(AT, "exit status 4: not ours", "not ours")
    assert len(session.calls) == 1


def test_taking_back_without_a_timer_stops_none() -> None:
    session = ends(Output(0, ""))
    take_back(session, CHANGE, LINE, AT, HOLDER)
    assert len(session.calls) == 1


def test_what_has_no_undo_cannot_be_taken_back() -> None:
    session = ends()
    found = take_back(session, msgspec.structs.replace(CHANGE, undo=None), LINE, AT, HOLDER)
    assert found == Failed(AT, "this change cannot be taken back")
    assert session.calls == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Output(0, "x", 2.0), Done(AT, "x", 2.0)),
        (Output(3, " a\n b ", 2.0), Failed(AT, "exit status 3: a b", " a\n b ", 2.0)),
        (Output(1, ""), Failed(AT, "exit status 1: it said nothing")),
        (Output(1, "exit status 3\n"), Failed(AT, "exit status 3: it said nothing", "exit status 3\n")),
        (Output(1, "no\nway\nexit status 2\n"), Failed(AT, "exit status 2: no way", "no\nway\nexit status 2\n")),
        (Output(124, "x", 60.2), Unknown(AT, "the kernel was still at it after 60 s", "x", 60.2)),
        (Output(None, "x", 30.4, timed_out=True), Unknown(AT, "no answer within 30 s", "x", 30.4)),
        (
            Output(None, "x", 2.0, lost=True),
            Unknown(AT, "the connection was lost before the command's end was seen", "x", 2.0),
        ),
    ],
)
def test_what_an_end_means(output: Output, expected: Done | Failed | Unknown) -> None:
    assert outcome(output, AT) == expected


def test_only_the_end_of_long_words_is_said() -> None:
    found = outcome(Output(1, "x" * 500 + "end"), AT)
    assert isinstance(found, Failed)
    assert found.why.endswith("end")
    assert len(found.why) == len("exit status 1: ") + 400


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--password=hunter2 x", "--password=[redacted] x"),
        ("Password: hunter2", "Password: [redacted]"),
        ("--token hunter2 --x", "--token [redacted] --x"),
        ("api_key = hunter2", "api_key = [redacted]"),
        ("API-KEY:hunter2", "API-KEY:[redacted]"),
        ("my_secret_name=hunter2", "my_secret_name=[redacted]"),
        ("passphrase\thunter2", "passphrase\t[redacted]"),
        ("systemctl restart --no-ask-password -- web", "systemctl restart --no-ask-password -- web"),
        ("nothing to see", "nothing to see"),
    ],
)
def test_secrets_are_hidden_and_options_are_not(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert outcome(Output(0, text), AT) == Done(AT, shown)


@each_shell
def test_in_a_real_shell_the_witness_comes_first(command: tuple[str, ...], tmp_path: Path) -> None:
    kmsg = tmp_path / "kmsg"
    with opened(command, kmsg) as session:
        done = execute(session, CHANGE, LINE, AT, HOLDER)
        back = take_back(session, CHANGE, f"{LINE} undo", AT, HOLDER)
    assert isinstance(done, Done)
    assert done.output == "a b;$(reboot);"
    assert isinstance(back, Done)
    assert back.output == "undo c $d"
    assert kmsg.read_text() in (f"<5>{LINE}\n<5>{LINE} undo\n", f"<5>{LINE} undo\n")


@each_shell
def test_in_a_real_shell_the_logger_stands_in(command: tuple[str, ...], tmp_path: Path) -> None:
    program(tmp_path, "logger", f'printf "%s|" "$@" >{tmp_path}/log')
    with opened(command, tmp_path / "no" / "kmsg") as session:
        session.execute("PATH=$1:$PATH", (str(tmp_path),))
        done = execute(session, CHANGE, LINE, AT, HOLDER)
        session.execute("PATH=/nowhere", ())
        without = execute(session, CHANGE, LINE, AT, HOLDER)
    assert (tmp_path / "log").read_text() == f"-t|runbook|--|{LINE}|"
    assert [done, without] == [Done(AT, "a b;$(reboot);", end.seconds) for end in (done, without)]


@each_shell
def test_in_a_real_shell_a_look_changes_nothing_and_the_undo_acts_afterwards(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    change = msgspec.structs.replace(CHANGE, undo=Undo("back", LOOK_ONLY + 'printf x >>"$1"', (str(tmp_path / "f"),)))
    assert change.undo is not None
    with opened(command) as session:
        assert compare(session, change.undo, lambda: AT).state == "made"
        assert not (tmp_path / "f").exists()
        assert isinstance(take_back(session, change, LINE, AT, HOLDER), Done)
    assert (tmp_path / "f").read_text() == "x"


@each_shell
def test_in_a_real_shell_a_status_is_a_status(command: tuple[str, ...]) -> None:
    failing = msgspec.structs.replace(CHANGE, script="echo gone; return 3")
    with opened(command) as session:
        assert isinstance(execute(session, failing, LINE, AT, HOLDER), Failed)
        assert isinstance(execute(session, CHANGE, LINE, AT, HOLDER), Done)


def test_a_nul_byte_in_a_parameter_reaches_no_shell() -> None:
    session = ScriptedSession()
    done = execute(session, msgspec.structs.replace(CHANGE, args=("a\0b",)), LINE, AT, HOLDER)
    assert isinstance(done, Failed)
    assert "NUL" in done.why
    assert session.calls == []


def test_a_secret_is_hidden_in_a_list_of_words_too() -> None:
    words = ["--password", "hunter2", "--no-ask-password", "--", "web", "-token", "-x", "--api-key=k", "api-key"]
    hidden = [
        "--password",
        "[redacted]",
        "--no-ask-password",
        "--",
        "web",
        "-token",
        "-x",
        "--api-key=[redacted]",
        "api-key",
    ]
    assert redacted({"args": words, "n": 3}) == {"args": hidden, "n": 3}
    assert redacted([1, "--token", 7]) == [1, "--token", 7]


OFF = Output(SWITCHED_OFF, "/etc/memrunbook/off says: ada: \x1b[31m a release\n")


@pytest.mark.parametrize("change", [CHANGE, TIMED], ids=["at once", "for a while"])
def test_a_host_that_is_switched_off_refuses_before_anything_is_armed_or_done(change: Change) -> None:
    session = ends(OFF)
    with pytest.raises(
        Refused, match=r"switched off on this host: /etc/memrunbook/off says: ada: \\x1b\[31m a release"
    ):
        execute(session, change, LINE, AT, HOLDER)
    (call,) = session.calls
    assert LOOK in call.script


def test_looking_and_taking_back_go_on_while_it_is_switched_off() -> None:
    session = ends(Output(0, ""), Output(0, ""))
    looking = msgspec.structs.replace(CHANGE, repeat=Repeat.READ)
    assert isinstance(execute(session, looking, LINE, AT, HOLDER), Done)
    assert isinstance(take_back(session, CHANGE, LINE, AT, HOLDER), Done)
    assert not any(LOOK in call.script for call in session.calls)


def test_a_drain_that_failed_means_that_nothing_was_changed() -> None:
    ended = outcome(Output(NOT_BEGUN, "no\n\nexit status 4\nits drain failed\n"), AT)
    assert isinstance(ended, Failed)
    assert (ended.untouched, ended.why) == (True, "nothing was changed: no; exit status 4; its drain failed")
