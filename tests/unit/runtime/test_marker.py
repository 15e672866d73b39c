"""The marks of commands on the host: what is asked, what the answers mean, and the scripts in real shells."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.unit.runtime.real_shells import opened
from tests.unit.runtime.test_lock import NOBODY, at_home
from tests.unit.transports.shells import each_shell

from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Look, Seen
from memrunbook.runtime.lock import give, take
from memrunbook.runtime.marker import JOB, LOOK, look, marked
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
        (Output(0, "at-work\n"), Seen(AT, "at-work", why=JOB)),
        (
            Output(0, "at-work 17 (sleep\x1b)\n"),
            Seen(AT, "at-work", why="its process 17 (sleep\\x1b) is still at work on the host"),
        ),
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
        pid = begun.split()[2]
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        assert seen(second) == Seen(AT, "at-work", why=f"its process {pid} ({name}) is still at work on the host")


@contextmanager
def orphaned(command: tuple[str, ...], folder: Path, script: str = "child sleep 60") -> Iterator[int]:
    """What a command left at work when its shell alone was killed: `sleep`, by its process id."""
    with opened(command) as session, opened(command) as other:
        at_home(session, folder)
        take(session, "R1 me", force=False)
        shell = int(session.execute("echo $$").text)
        thread = threading.Thread(target=act, args=(session, script))
        thread.start()
        pids = found_soon(lambda: [pid for pid in members(shell) if name_of(pid) == "sleep"])
        os.kill(shell, signal.SIGKILL)
        found_soon(lambda: [pid for pid in [shell] if pid not in members(shell)])
        try:
            assert other.execute("true").status == 0
            yield pids[0]
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            thread.join()


def found_soon(look_for: Callable[[], list[int]]) -> list[int]:
    deadline = time.monotonic() + 15.0
    while not (found := look_for()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found
    return found


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            found += [int(stat.parent.name)] * (int(fields[3]) == session and fields[0] not in "ZX")
    return found


def name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


@each_shell
@pytest.mark.parametrize("script", ["child sleep 60", "child sh -c 'sleep 60; true'", "child sleep 60 & wait"])
def test_in_a_real_shell_what_a_dead_shell_left_behind_is_at_work(
    command: tuple[str, ...], tmp_path: Path, script: str
) -> None:
    with orphaned(command, tmp_path, script) as pid, opened(command) as session:
        at_home(session, tmp_path)
        found = seen(session)
        assert found.found == "at-work"
        assert "is still at work on the host" in found.why
        os.kill(pid, signal.SIGKILL)
        found_soon(lambda: [1] * (seen(session).found == "begun"))


@each_shell
def test_in_a_real_shell_no_lock_is_broken_while_a_command_is_at_work(command: tuple[str, ...], tmp_path: Path) -> None:
    with orphaned(command, tmp_path) as pid, opened(command) as session:
        at_home(session, tmp_path)
        for owner in ("R1 me", "R2 you"):
            for force in (False, True):
                with pytest.raises(Refused, match=rf"still at work on the host: R1 me \(pid {pid}, sleep\)"):
                    take(session, owner, force=force)
        assert name_of(pid) == "sleep", "and nothing was ended"
        os.kill(pid, signal.SIGKILL)
        found_soon(lambda: [1] * (name_of(pid) == ""))
        take(session, "R2 you", force=True)
        give(session, "R2 you")


@each_shell
def test_in_a_real_shell_a_shell_in_the_middle_of_a_command_is_not_ended(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as first, opened(command) as second:
        at_home(first, tmp_path)
        at_home(second, tmp_path)
        take(first, "R1 me", force=False)
        thread = threading.Thread(target=act, args=(first, f"while [ ! -e {tmp_path}/go ]; do child sleep 0.1; done"))
        thread.start()
        found_soon(lambda: [1] * ("begun" in marks(tmp_path).read_text()))
        with pytest.raises(Refused, match="a command of an earlier run is still at work on the host: R1 me"):
            take(second, "R2 you", force=True)
        (tmp_path / "go").touch()
        thread.join()
        assert seen(second) == Seen(AT, "ended"), "how it ended is not lost"
        take(second, "R2 you", force=True)
        assert first.execute("true").lost


@each_shell
def test_in_a_real_shell_a_number_that_was_given_again_is_nobodys_work(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as session, subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        at_home(session, tmp_path)
        act(session, "true")
        marks(tmp_path).write_text(f"begun {RECORD} 99999999 1 {other.pid}\n")
        assert seen(session) == Seen(AT, "begun"), "whoever leads that group began later"
        marks(tmp_path).write_text(f"begun {RECORD} 99999999 1\n")
        assert seen(session) == Seen(AT, "begun"), "the mark of an earlier version"
        other.kill()


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
