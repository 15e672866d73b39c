"""The shell session, in every shell this machine has."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.transports.shells import each_shell

from memrunbook.core.host import HostIdentity
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.shell import Frame, Hello, NoShellError, Shell, ShellSession, _wrapped

Open = Callable[[tuple[str, ...]], ShellSession]


@pytest.fixture
def start() -> Iterator[Open]:
    sessions: list[ShellSession] = []

    def start(command: tuple[str, ...]) -> ShellSession:
        child = Child(command)
        sessions.append(ShellSession(Shell(child), HostIdentity(), child))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


@each_shell
def test_a_script_gets_its_arguments_and_its_output_and_status_come_back(start: Open, command: tuple[str, ...]) -> None:
    output = start(command).execute('printf "%s|" "$@"; echo oops >&2; return 3', ("a b", "$(reboot)", "it's\n", ""))
    assert (output.status, output.text) == (3, "a b|$(reboot)|it's\n||oops\n")
    assert not any((output.lost, output.timed_out, output.truncated, output.ended))


@each_shell
def test_scripts_run_in_one_shell_without_a_subshell(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    first = session.execute("kept=7; echo $$")
    second = session.execute('echo "$kept" $$')
    assert second.text.split() == ["7", first.text.strip()]


@each_shell
def test_the_script_cannot_eat_the_next_one(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    assert session.execute("child cat; read -r line || echo end").text == "end\n"
    assert session.execute("echo next").text == "next\n"


@each_shell
def test_the_environment_is_plain(start: Open, command: tuple[str, ...]) -> None:
    text = start(command).execute('umask; pwd; echo "$LC_ALL"; case $PATH in */usr/sbin:/sbin) echo path ;; esac').text
    assert text.split() in (["0077", "/", "C", "path"], ["077", "/", "C", "path"])


@each_shell
def test_host_text_cannot_forge_the_end(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    output = session.execute("printf '@@%s exit 0\\n' 0123456789abcdef; printf 'x\\000\\033[31m\\377'; return 4")
    assert output.status == 4
    assert output.text == "@@0123456789abcdef exit 0\nx\0\x1b[31m\\xff"


@each_shell
def test_a_deadline_ends_the_shell_and_everything_in_it(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    began = time.monotonic()
    output = session.execute("echo before; child sleep 60", timeout=0.5)
    assert (output.status, output.text, output.timed_out, output.ended) == (None, "before\n", True, True)
    assert time.monotonic() - began < 5
    later = session.execute("echo more")
    assert (later.status, later.text, later.lost) == (None, "", True)


@each_shell
def test_output_is_bounded_and_the_head_is_kept(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    output = session.execute("i=0; while [ $i -lt 30 ]; do echo 123456789; i=$((i + 1)); done", limit=100)
    assert (output.status, output.truncated, output.text) == (0, True, "123456789\n" * 10)
    assert session.execute("echo still here").text == "still here\n"


@each_shell
def test_endless_output_ends_the_session(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    output = session.execute("while :; do echo y; done", limit=1000, timeout=30)
    assert (output.status, output.truncated, output.timed_out, output.ended) == (None, True, False, True)
    assert len(output.text) == 1000
    assert session.execute("echo more").lost


@each_shell
def test_a_shell_that_dies_leaves_what_it_said(start: Open, command: tuple[str, ...]) -> None:
    output = start(command).execute("echo last words; kill -s KILL $$")
    assert (output.status, output.text, output.lost) == (None, "last words\n", True)


@each_shell
def test_children_get_the_oom_score_of_the_login_back(start: Open, command: tuple[str, ...]) -> None:
    login = Path("/proc/self/oom_score_adj").read_text(encoding="ascii").strip()
    session = start(command)
    assert session.execute("child cat /proc/self/oom_score_adj").text.strip() == login
    if os.geteuid() == 0:
        own = session.execute("read -r adj </proc/self/oom_score_adj; echo $adj").text.strip()
        assert own in {"-1000", login}  # a container may forbid it


@each_shell
def test_closing_ends_the_shell(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    pid = int(session.execute("echo $$").text)
    session.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@each_shell
def test_closing_from_another_thread_kills_the_script_in_flight(start: Open, command: tuple[str, ...]) -> None:
    session = start(command)
    pid = int(session.execute("echo $$").text)
    worker = threading.Thread(target=session.execute, args=("child sleep 60",), kwargs={"timeout": 50})
    worker.start()
    _until(lambda: session._busy)
    session.close()
    worker.join(10)
    assert not worker.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_an_argument_with_a_nul_byte_is_a_defect(start: Open) -> None:
    with pytest.raises(ValueError, match="NUL"):
        start(("sh", "-s")).execute("true", ("a\0b",))


def test_banners_before_the_hello_are_dropped(start: Open) -> None:
    session = start(("sh", "-c", "echo 'Welcome! @@ hello'; exec sh -s"))
    assert session.execute("echo ok").text == "ok\n"


def test_no_shell_tells_what_came_instead() -> None:
    child = Child(("sh", "-c", "echo 'This account is not available.'; exit 1"))
    with pytest.raises(NoShellError) as refused:
        Shell(child)
    child.close()
    assert (refused.value.said, refused.value.silent) == ("This account is not available.\n", False)


def test_a_program_that_only_echoes_is_no_shell() -> None:
    child = Child(("cat",))
    with pytest.raises(NoShellError) as refused:
        Shell(child, timeout=0.5)
    assert refused.value.silent
    child.close()


def test_a_frame_finds_its_end_across_pieces_of_any_size() -> None:
    whole = b"caf\xc3\xa9 " + b"x" * 200 + b"@@n1 exit 12\n"
    for size in (1, 2, 7, 79, 80, 81, 1000):
        frame = Frame("n1", 10_000)
        statuses = [frame.feed(whole[start : start + size]) for start in range(0, len(whole), size)]
        assert statuses[-1] == 12
        assert set(statuses[:-1]) <= {None}
        assert frame.text == "café " + "x" * 200


def test_only_a_group_of_its_own_is_ever_killed() -> None:
    assert Hello(pid=10, parent=9, group=10, uid=0).own_group == 10
    assert Hello(pid=10, parent=9, group=9, uid=0).own_group == 9
    assert Hello(pid=10, parent=9, group=3, uid=0).own_group == 0
    assert Hello(pid=10, parent=-1, group=-1, uid=0).own_group == 0


@each_shell
def test_a_script_that_was_cut_off_while_it_was_sent_does_nothing(command: tuple[str, ...], tmp_path: Path) -> None:
    whole = _wrapped('printf "%s\\n" "$*" >>"$1"', [str(tmp_path / "done"), "a b", "it's"], "0123")
    call = whole.index(b"{ memrunbook_run ")
    end = whole.index(b"\n}\n", call) + 3
    for cut in [*range(call - 20, end - 2), end]:
        subprocess.run(command, check=False, input=whole[:cut], capture_output=True, timeout=10)
        assert (tmp_path / "done").exists() == (cut == end), whole[:cut]
