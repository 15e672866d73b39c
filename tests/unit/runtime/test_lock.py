"""One run per host: the lock in real shells, and what its refusals say."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.runtime.real_shells import opened
from tests.unit.transports.shells import each_shell

from memrunbook.core.errors import Refused, SessionLost
from memrunbook.core.run.event import LockBroken
from memrunbook.runtime.lock import GIVE, TAKE, give, take
from memrunbook.runtime.ports import Output, Session
from memrunbook.testing import Call, ScriptedSession

# A user that has no folder of its own below /run/user: the lock then stands in the temporary folder.
NOBODY = "4242424"


def said(output: Output) -> ScriptedSession:
    return ScriptedSession(lambda _: output)


def test_a_lock_is_taken_for_an_owner() -> None:
    session = said(Output(0, ""))
    take(session, "R somebody", force=False)
    take(session, "R somebody", force=True)
    give(session, "R somebody")
    assert session.calls == [
        Call(TAKE, ("R somebody", "", "", ""), 15.0),
        Call(TAKE, ("R somebody", "break", "", ""), 15.0),
        Call(GIVE, ("R somebody", ""), 15.0),
    ]


@pytest.mark.parametrize(
    ("output", "message", "hint"),
    [
        (Output(5, "held R2 bob\x1b[1m\n"), "another run is at work on the host: R2 bob\\x1b[1m", "wait for it"),
        (
            Output(5, "stale R2 bob\n"),
            "an earlier run left its lock on the host, and its shell is gone: R2 bob",
            "--break-lock",
        ),
        (
            Output(5, "at-work R2 bob (pid 17, sleep)\n"),
            "a command of an earlier run is still at work on the host: R2 bob (pid 17, sleep)",
            "wait until it has ended",
        ),
        (Output(6, "not ours: /tmp/x\n"), "the host cannot be locked: not ours: /tmp/x", "is /run writable"),
        (Output(7, "stale"), "the host cannot be locked: stale", "is /run writable"),
    ],
)
def test_a_refusal_says_who_has_it_and_what_to_do(output: Output, message: str, hint: str) -> None:
    with pytest.raises(Refused) as caught:
        take(said(output), "R1 me", force=False)
    assert caught.value.message.rstrip("\\n") == message
    assert hint in caught.value.hint


def test_a_line_that_broke_meanwhile() -> None:
    with pytest.raises(SessionLost, match="while the host was being locked"):
        take(said(Output(None, "", lost=True)), "R1 me", force=False)


def at_home(session: Session, folder: Path) -> None:
    """Moves the lock of this shell into a folder."""
    output = session.execute("shell_user=$1 TMPDIR=$2; export TMPDIR", (NOBODY, str(folder)))
    assert output.status == 0


def lock_file(folder: Path) -> Path:
    return folder / f"memrunbook-{NOBODY}" / "lock"


@each_shell
def test_in_a_real_shell_it_is_taken_once_and_given_back_by_its_owner_only(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as first, opened(command) as second:
        at_home(first, tmp_path)
        at_home(second, tmp_path)
        take(first, "R1 me $(reboot)", force=False)
        assert lock_file(tmp_path).read_text().startswith("R1 me $(reboot)\n")
        assert lock_file(tmp_path).parent.stat().st_mode & 0o777 == 0o700
        with pytest.raises(Refused, match=r"another run is at work on the host: R1 me \$\(reboot\)"):
            take(second, "R2 you", force=False)
        give(second, "R2 you")
        assert lock_file(tmp_path).exists()
        give(first, "R1 me $(reboot)")
        assert not lock_file(tmp_path).exists()
        take(second, "R2 you", force=False)
        give(second, "R2 you")


@each_shell
def test_in_a_real_shell_the_lock_of_one_that_is_gone_is_stale_and_can_be_broken(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as first:
        at_home(first, tmp_path)
        take(first, "R1 me", force=False)
    with opened(command) as second:
        at_home(second, tmp_path)
        with pytest.raises(Refused, match="its shell is gone: R1 me"):
            take(second, "R2 you", force=False)
        assert take(second, "R2 you", force=True) == LockBroken("R1 me", "stale")
        assert lock_file(tmp_path).read_text().startswith("R2 you\n")
        with opened(command) as third:
            at_home(third, tmp_path)
            with pytest.raises(Refused, match="another run is at work on the host: R2 you"):
                take(third, "R3 they", force=False)
            assert take(third, "R3 they", force=True) == LockBroken("R2 you", "killed")
            assert second.execute("true").lost, "a run whose lock was taken over cannot go on"
            give(third, "R3 they")


@each_shell
def test_in_a_real_shell_the_lock_of_an_abandoned_run_is_taken_once_its_shell_is_gone(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as first:
        at_home(first, tmp_path)
        take(first, "R1 me", force=False)
        with opened(command) as second:
            at_home(second, tmp_path)
            with pytest.raises(Refused, match="another run is at work"):
                take(second, "R2 you", force=False, abandoned={"R1"})
            assert not first.execute("true").lost
    with opened(command) as third:
        at_home(third, tmp_path)
        with pytest.raises(Refused, match="its shell is gone: R1 me"):
            take(third, "R3 they", force=False, abandoned={"R2"})
        assert take(third, "R3 they", force=False, abandoned={"R1"}) == LockBroken("R1 me", "stale")


@each_shell
def test_in_a_real_shell_whoever_takes_a_run_back_takes_the_lock_that_it_left(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as first:
        at_home(first, tmp_path)
        assert take(first, "R1 me at night", force=False) is None
        with opened(command) as second:
            at_home(second, tmp_path)
            with pytest.raises(Refused, match="another run is at work"):
                take(second, "R2 you", force=False, after="R1")
    with opened(command) as third:
        at_home(third, tmp_path)
        with pytest.raises(Refused, match="its shell is gone: R1 me at night"):
            take(third, "R3 they", force=False, after="R2")
        assert take(third, "R3 they", force=False, after="R1") == LockBroken("R1 me at night", "stale")
    with opened(command) as again:
        at_home(again, tmp_path)
        assert take(again, "R3 they", force=False) is None, "its own"


@each_shell
def test_in_real_shells_of_two_that_break_one_lock_at_once_one_has_it(command: tuple[str, ...], tmp_path: Path) -> None:
    slow = tmp_path / "bin" / "rm"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nsleep 0.5\nexec {shutil.which("rm")} "$@"\n')
    slow.chmod(0o755)
    with opened(command) as gone:
        at_home(gone, tmp_path)
        take(gone, "R1 me", force=False)
    took: list[str] = []

    def breaks(session: Session, owner: str) -> None:
        with suppress(Refused):
            take(session, owner, force=True)
            took.append(owner)

    with opened(command) as second, opened(command) as third:
        for session in (second, third):
            at_home(session, tmp_path)
            session.execute("PATH=$1:$PATH", (str(slow.parent),))
        threads = [threading.Thread(target=breaks, args=one) for one in ((second, "R2 you"), (third, "R3 they"))]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        for thread in threads:
            thread.join()
        assert len(took) == 1
        assert lock_file(tmp_path).read_text().startswith(f"{took[0]}\n")
        assert [path.name for path in lock_file(tmp_path).parent.glob("lock*")] == ["lock"]


@each_shell
def test_in_a_real_shell_the_turn_of_one_that_is_gone_is_nobodys(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as gone:
        at_home(gone, tmp_path)
        take(gone, "R1 me", force=False)
    turn = lock_file(tmp_path).with_name("lock.turn")
    turn.mkdir()
    (turn / "by").write_text("1 1\n")
    with opened(command) as session:
        at_home(session, tmp_path)
        take(session, "R2 you", force=True)
        turn.mkdir()
        pid, started = lock_file(tmp_path).read_text().splitlines()[1].split()
        (turn / "by").write_text(f"{pid} {started}\n")
        with opened(command) as other:
            at_home(other, tmp_path)
            with pytest.raises(Refused, match="another run is at work on the host: R2 you"):
                take(other, "R3 they", force=True)
        give(session, "R2 you")
        assert lock_file(tmp_path).exists(), "somebody else is at it: it is left, and stale when its shell is gone"
        (turn / "by").write_text("1 1\n")
        give(session, "R2 you")
        assert not list(lock_file(tmp_path).parent.glob("lock*"))


@each_shell
def test_in_a_real_shell_a_process_number_that_was_given_again_is_stale(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(command) as session:
        at_home(session, tmp_path)
        take(session, "R1 me", force=False)
        owner, alive = lock_file(tmp_path).read_text().splitlines()
        pid, started = alive.split()
        lock_file(tmp_path).write_text(f"{owner}\n{pid} {int(started) - 1}\n")
        with pytest.raises(Refused, match="its shell is gone"):
            take(session, "R2 you", force=False)
        lock_file(tmp_path).write_text("")
        with pytest.raises(Refused, match="its shell is gone"):
            take(session, "R2 you", force=False)


@each_shell
def test_in_a_real_shell_the_folder_must_be_our_own(command: tuple[str, ...], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    lock_file(tmp_path).parent.symlink_to(elsewhere)
    with opened(command) as session:
        at_home(session, tmp_path)
        with pytest.raises(Refused, match=f"the host cannot be locked: not ours: {tmp_path}"):
            take(session, "R1 me", force=False)
        give(session, "R1 me")
    assert list(elsewhere.iterdir()) == []


@each_shell
def test_in_a_real_shell_a_place_that_cannot_be_written(command: tuple[str, ...], tmp_path: Path) -> None:
    with opened(command) as session:
        at_home(session, tmp_path / "nowhere")
        with pytest.raises(Refused, match="the host cannot be locked"):
            take(session, "R1 me", force=False)
        assert session.execute("echo still here").text == "still here\n"
