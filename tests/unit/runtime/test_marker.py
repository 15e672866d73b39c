"""The marks of commands on the host: what is asked, what the answers mean, and the scripts in real shells."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.runtime.real_shells import opened
from tests.unit.runtime.test_lock import NOBODY, at_home
from tests.unit.transports.shells import each_shell

from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Look, Seen
from memrunbook.runtime.lock import give, take
from memrunbook.runtime.marker import LOOK, look, marked
from memrunbook.runtime.ports import Output, Session
from memrunbook.testing import Call, ScriptedSession

AT = Instant(1.0, 1.0)
GONE = Seen(AT, "unseen", why="its mark is not on the host any more (a reboot takes it away)")
STILL = Seen(AT, "begun", why="the kernel was still at it when its command gave up waiting")
ASKED = Look("R1", "0123456789abcdef0123", "web.service")
RECORD = "0123456789abcdef"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Output(0, "ended 0\n"), Seen(AT, "ended")),
        (Output(0, "ended 3\n"), Seen(AT, "ended", 3)),
        (
            Output(0, "ended 124\n"),
            Seen(AT, "begun", why="the kernel was still at it when its command gave up waiting"),
        ),
        (Output(0, "begun\n"), Seen(AT, "begun")),
        (Output(0, "at-work\n"), Seen(AT, "at-work")),
        (Output(0, "absent\n"), Seen(AT, "absent")),
        (
            Output(0, "unseen\n"),
            Seen(AT, "unseen", why="its mark is not on the host any more (a reboot takes it away)"),
        ),
        (
            Output(0, "ended x\n"),
            Seen(AT, "unseen", why="its mark is not on the host any more (a reboot takes it away)"),
        ),
        (Output(None, "", lost=True), Seen(AT, "unseen", why="the host could not be asked: it gave no answer")),
        (Output(2, "no\x1b[1m\n"), Seen(AT, "unseen", why="the host could not be asked: no\\x1b[1m")),
    ],
)
def test_what_an_answer_means(output: Output, expected: Seen) -> None:
    session = ScriptedSession(lambda _: output)
    assert look(session, ASKED, AT) == expected
    assert session.calls == [Call(LOOK, ("R1", RECORD, "web.service"), 20.0)]


def act(session: Session, script: str, *args: str, record: str = RECORD) -> Output:
    return session.execute(*marked(script, args, "R1", record))


def seen(session: Session, record: str = RECORD) -> Seen:
    return look(session, Look("R1", record), AT)


def marks(folder: Path) -> Path:
    return folder / f"memrunbook-{NOBODY}" / "R1.started"


@each_shell
def test_in_a_real_shell_start_and_end_are_marked_around_the_script(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as session:
        at_home(session, tmp_path)
        assert seen(session).found == "unseen"
        take(session, "R1 me", force=False)
        assert seen(session).found == "absent"
        output = act(session, 'printf "%s;" "$#" "$@"', "a b", "$(reboot)")
        assert (output.status, output.text) == (0, "2;a b;$(reboot);")
        assert seen(session) == Seen(AT, "ended")
        assert act(session, "return 3", record="f" * 64).status == 3
        assert seen(session, "f" * 64) == Seen(AT, "ended", 3)
        assert [line.split()[0] for line in marks(tmp_path).read_text().splitlines()] == [
            "run", "begun", "ended", "begun", "ended",
        ]  # fmt: skip
        give(session, "R1 me")
        assert seen(session).found == "ended"
        take(session, "R1 me", force=False)
        give(session, "R1 me", settled=True)
        assert not marks(tmp_path).exists()


@each_shell
def test_in_a_real_shell_a_command_that_died_has_begun(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as session:
        at_home(session, tmp_path)
        act(session, "kill -KILL $$")
    with opened(command) as session:
        at_home(session, tmp_path)
        assert seen(session) == Seen(AT, "begun")


@each_shell
def test_in_a_real_shell_a_command_of_a_living_shell_is_at_work(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as first, opened(command) as second:
        at_home(first, tmp_path)
        at_home(second, tmp_path)
        act(first, "true")
        begun = marks(tmp_path).read_text().splitlines()[0]
        marks(tmp_path).write_text(f"{begun}\n")
        assert seen(second) == Seen(AT, "at-work")


@each_shell
def test_in_a_real_shell_a_job_of_its_unit_is_at_work_too(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as session:
        at_home(session, tmp_path)
        act(session, "true")
        gone = f"begun {RECORD} 1 99\n"
        marks(tmp_path).write_text(gone)
        for says, found in (("Job=17", "at-work"), ("Job=0", "begun"), ("", "begun")):
            session.execute(f"systemctl() {{ printf '%s\\n' '{says}'; }}; child() {{ \"$@\"; }}")
            assert look(session, Look("R1", RECORD, "web.service"), AT).found == found, says


@each_shell
def test_in_a_real_shell_nothing_is_begun_that_cannot_be_marked(command: tuple[str, ...], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    marks(tmp_path).parent.symlink_to(elsewhere)
    with opened(command) as session:
        at_home(session, tmp_path)
        output = act(session, "echo done")
        assert output.status == 1
        assert "nothing was begun: its start could not be marked" in output.text
        assert "done" not in output.text
        assert seen(session).found == "unseen"
    assert list(elsewhere.iterdir()) == []


@each_shell
def test_in_a_real_shell_a_run_that_goes_on_does_not_make_its_marks_anew(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as session:
        at_home(session, tmp_path)
        take(session, "R1 me", force=False)
        act(session, "true")
        marks(tmp_path).unlink()
        give(session, "R1 me")
        take(session, "R1 me", force=False, begun=True)
        assert seen(session).found == "unseen", "a reboot must be seen"
        give(session, "R1 me")
