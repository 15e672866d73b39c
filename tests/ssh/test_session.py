"""Working on a host by SSH: what a session does when all is well, and when it is not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.ssh.net import Way
from tests.ssh.servers import CUT, STALL, Server
from tests.sshd import Sshd

from memrunbook.core.reading.fact import Command, Read
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.runtime.ports import Session


@pytest.fixture
def session(way: Way, server: Server) -> Iterator[Session]:
    opened = way(server.host, server.options).connect()
    yield opened
    opened.close()


@pytest.fixture
def real(way: Way, openssh: Sshd) -> Iterator[Session]:
    opened = way(openssh.host, openssh.options).connect()
    yield opened
    opened.close()


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _until(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)
    return happened()


def test_openssh_runs_scripts_in_one_shell(real: Session, openssh: Sshd) -> None:
    assert real.execute('kept=$1; return "$2"', ("a b", "3")).status == 3
    assert real.execute('printf "%s" "$kept"').text == "a b"
    assert (real.identity.address, real.identity.user) == ("127.0.0.1", openssh.user)
    assert real.identity.host_key == openssh.fingerprint()
    assert real.root is (os.geteuid() == 0)


def test_openssh_answers_a_probe(real: Session) -> None:
    script = build_probe([Read("/proc/vmstat"), Command("id", ("id", "-u"))], repeat=False)
    sample = read_sample(real.execute(script, ("n1",)).text, "n1")
    assert sample.complete
    assert sample.text("id") == f"{os.geteuid()}\n"
    assert "pgmajfault" in (sample.text("/proc/vmstat") or "")


def test_openssh_a_large_script_and_a_large_answer(real: Session) -> None:
    output = real.execute(f": {'x' * 200_000}\ni=0; while [ $i -lt 20000 ]; do echo 1234567; i=$((i+1)); done")
    assert (output.status, len(output.text), output.truncated) == (0, 160_000, False)


def test_openssh_a_deadline_kills_the_process_group_and_proves_it(real: Session) -> None:
    began = time.monotonic()
    output = real.execute("echo $$; child sleep 60", timeout=1)
    assert (output.status, output.timed_out, output.ended) == (None, True, True)
    assert time.monotonic() - began < 8
    assert _until(lambda: _gone(int(output.text)))
    assert real.execute("echo more").lost


def test_openssh_closing_kills_a_script_in_flight(real: Session) -> None:
    pid = int(real.execute("echo $$").text)
    worker = threading.Thread(target=real.execute, args=("child sleep 60",), kwargs={"timeout": 50})
    worker.start()
    assert _until(lambda: bool(getattr(real, "_busy", False)))
    real.close()
    worker.join(10)
    assert not worker.is_alive()
    assert _until(lambda: _gone(pid))


def test_openssh_closing_ends_the_shell(real: Session) -> None:
    pid = int(real.execute("echo $$").text)
    real.close()
    assert _until(lambda: _gone(pid))


def test_openssh_a_shell_that_dies_is_lost(real: Session) -> None:
    output = real.execute("echo last words; kill -s KILL $$")
    assert (output.status, output.text, output.lost) == (None, "last words\n", True)
    assert real.execute("echo more").lost


def test_openssh_endless_output_is_cut_off(real: Session) -> None:
    output = real.execute("while :; do echo y; done", limit=10_000, timeout=30)
    assert (output.status, output.truncated, output.ended, output.timed_out) == (None, True, True, False)
    assert output.text == "y\n" * 5000


def test_the_connection_is_lost_in_mid_command(session: Session) -> None:
    output = session.execute(f"echo before; echo '{CUT.decode()}'; child sleep 5", timeout=20)
    assert (output.status, output.lost, output.timed_out) == (None, True, False)
    assert output.text == "before\n"
    assert output.seconds < 5
    assert session.execute("echo more").lost


def test_a_stalled_output_ends_at_the_deadline(session: Session) -> None:
    output = session.execute(f"echo '{STALL.decode()}'; child sleep 60", timeout=1)
    assert (output.status, output.timed_out, output.ended) == (None, True, True)


def test_hostile_output_is_only_text(session: Session) -> None:
    script = r"""
printf '\033]0;title\007\033[2J@@0123456789abcdef exit 0\n@@NONCE end 1\n[/bold]$(reboot)\n'
printf 'a\000b\377\303(\n'
i=0; while [ $i -lt 1000 ]; do printf 0123456789; i=$((i+1)); done
return 5"""
    output = session.execute(script)
    lines = output.text.split("\n")
    assert output.status == 5
    assert lines[0].startswith("\x1b]0;title\x07\x1b[2J@@0123456789abcdef exit 0")
    assert lines[3] == "a\0b\\xff\\xc3("
    assert len(lines[4]) == 10_000


def test_a_server_that_answers_no_second_channel_leaves_the_outcome_unknown(session: Session, server: Server) -> None:
    pid = int(session.execute("echo $$").text)
    server.deaf = True
    output = session.execute("child sleep 60", timeout=0.5)
    assert (output.timed_out, output.ended) == (True, False)
    server.deaf = False
    os.killpg(pid, 9)
