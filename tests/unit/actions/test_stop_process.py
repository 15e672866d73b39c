from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import DENIED, STRAY, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.shared.scripts import STILL_GOING
from memrunbook.actions.stop_process import SCRIPT, StopProcess
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, Duration

STOP = StopProcess(pid=STRAY.pid)
UNKILLABLE = "kill() { :; }\n" + SCRIPT
USE = Use(STOP, {"processes.all": [STRAY]})


def stray(changes: dict[str, Any] | None = None, *, fork_ok: bool = True) -> Snapshot:
    return host({"processes.all": [msgspec.structs.replace(STRAY, **(changes or {}))]}, fork_ok=fork_ok)


def test_a_process_outside_of_services_is_stopped() -> None:
    made = change(STOP, stray())
    assert made.summary == "Stop report.py (pid 9000): TERM, KILL after 10 s where its memory is not back"
    assert (made.target, made.identity) == ("pid 9000", "process 9000 start 4711 boot b001")
    assert made.args == ("9000", "4711", "10")
    assert (made.risk, made.touches, made.undo) == (Risk.HIGH, "", None)
    assert made.timeout > 20


def test_it_must_be_gone_and_half_of_its_memory_back() -> None:
    verify = change(STOP, stray()).verify
    assert verify is not None
    assert verify.that == (
        "!processes.all.exists(p, p.pid == 9000 && p.start_ticks == 4711)"
        f" && 2 * (memory.available_bytes - before.memory.available_bytes) >= {3 * GIB}"
    )


def test_a_program_that_saves_much_may_be_given_more_time() -> None:
    made = change(StopProcess(pid=STRAY.pid, patience=Duration(89.5)), stray())
    assert made.args == ("9000", "4711", "90")
    assert made.timeout > 3 * 90
    for patience in (0.5, 601.0):
        assert "patience is not allowed" in blocked(StopProcess(pid=STRAY.pid, patience=Duration(patience)), stray())


def test_without_fork_nobody_waits() -> None:
    made = change(STOP, stray(fork_ok=False))
    assert made.args[2] == "0"
    assert made.summary.endswith("TERM only, as the host cannot start processes")


@pytest.mark.parametrize("unit", ["", "session-7.scope", "run-r12ab.scope", "user@1000.service"])
def test_what_people_started_by_hand_may_be_stopped(unit: str) -> None:
    assert change(STOP, stray({"unit": unit})).target == "pid 9000"


def without_systemd(systemd: object, **changes: object) -> Snapshot:
    process = msgspec.structs.replace(STRAY, **{"unit": "", "cgroup": "/", **changes})
    return host({"processes.all": [process], "host.systemd": systemd})


@pytest.mark.parametrize("systemd", [False, DENIED])
def test_without_systemd_a_daemon_is_known_by_its_parent(systemd: object) -> None:
    assert "child of init" in blocked(STOP, without_systemd(systemd, parent=1))
    assert change(STOP, without_systemd(systemd, parent=4301)).target == "pid 9000"


def test_a_service_of_openrc_is_known_by_its_group() -> None:
    found = blocked(STOP, without_systemd(systemd=False, parent=4301, cgroup="/openrc.nginx"))
    assert found == "process 9000 belongs to the service nginx"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"unit": "search-api.service"}, "belongs to search-api.service"),
        ({"unit": "srv-data.mount"}, "belongs to srv-data.mount"),
        ({"container": "docker:0123456789ab", "unit": "docker-0123456789ab.scope"}, "container or guest docker:0123"),
        ({"cgroup": ""}, "control group is not shown"),
        ({"cgroup": "/../other"}, "control group is not shown"),
        ({"pid": 9001}, "is not among those"),
        ({"oom_score_adj": None}, "oom_score_adj of process 9000 is unknown"),
        ({"oom_score_adj": -1000}, "exempted"),
        ({"parent": 2}, "kernel thread"),
        ({"name": "sshd"}, "sshd"),
        ({"name": "systemd-logind"}, "init system"),
        ({"name": "postgres"}, "by its name"),
        ({"name": "containerd"}, "by its name"),
        ({"name": "NetworkManager"}, "by its name"),
        ({"name": "qemu-system-x86"}, "by its name"),
        ({"unit": "session-3.scope"}, "our own session"),
    ],
)
def test_processes_that_are_left_alone(changes: dict[str, object], word: str) -> None:
    assert word in blocked(STOP, stray(changes))


@pytest.mark.parametrize("pid", [1, 2, 640, 4300])
def test_init_kernel_threads_and_our_own_shell_are_left_alone(pid: int) -> None:
    assert "is protected" in blocked(StopProcess(pid=pid), stray({"pid": pid, "unit": ""}))


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"processes": DENIED}, "processes.all is unknown"),
        ({"host.own_pids": DENIED}, "host.own_pids is unknown"),
        ({"memory": DENIED}, "memory.available_bytes is unknown"),
        ({"host.root": False}, "root"),
        ({"host.kubernetes": True}, "Kubernetes"),
    ],
)
def test_hosts_on_which_it_is_refused(facts: dict[str, object], word: str) -> None:
    assert word in blocked(STOP, host({"processes.all": [STRAY], **facts}))


def test_a_hostile_name_is_only_a_name() -> None:
    made = change(STOP, stray({"name": "$(reboot)\n\x1b[2J"}))
    assert "\n" not in made.summary
    assert "\x1b" not in made.summary
    assert all("reboot" not in arg for arg in made.args)


def start_of(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def state_of(pid: str) -> str:
    """Its state as one letter, Z also where its parent has taken notice of its end already."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


@contextmanager
def running(*command: str, reap: bool = True) -> Iterator[tuple[str, str]]:
    """Pid and start of a process that has said a line; unless it is reaped, it stays a zombie when it ends."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if reap:
            threading.Thread(target=process.wait).start()
        try:
            yield str(process.pid), start_of(str(process.pid))
        finally:
            process.kill()


def test_term_ends_it(machine: Machine) -> None:
    with running("sh", "-c", "echo; exec sleep 60") as (pid, start):
        result = machine.do(SCRIPT, pid, start, "5")
        assert (result.status, "KILL" in result.text) == (0, False)
        assert state_of(pid) == "Z"


def test_a_name_with_parentheses_hides_nothing(machine: Machine) -> None:
    with running("sh", "-c", "printf 'a) R 1 (b' >/proc/$$/comm; echo; read line; sleep 60") as (pid, start):
        assert "(a) R 1 (b)" in Path(f"/proc/{pid}/stat").read_text()
        assert machine.do(SCRIPT, pid, start, "5").status == 0


def test_what_ignores_term_is_killed(machine: Machine) -> None:
    with running("sh", "-c", "trap '' TERM; echo; exec sleep 60") as (pid, start):
        result = machine.do(SCRIPT, pid, start, "1")
        assert result.status == 0
        assert result.text.startswith(
            f"process {pid} did not end within 1 s of TERM and its memory is not back: KILL\n"
        )
        assert state_of(pid) == "Z"


GIVES_BACK = """
import signal, sys, time
held = b"x" * (40 << 20)
open(sys.argv[1], "w").write("MemTotal: 99 kB\\nMemAvailable: 50000 kB\\n")
def end(*_):
    open(sys.argv[1], "w").write(f"MemTotal: 99 kB\\nMemAvailable: {sys.argv[2]} kB\\n")
    time.sleep(float(sys.argv[3]))
    sys.exit()
signal.signal(signal.SIGTERM, end)
print(flush=True)
while True:
    time.sleep(60)
"""
BACK, NOT_BACK = "75000", "60000"


def giving_back(machine: Machine, kib: str, seconds: float) -> tuple[int, str, bool]:
    """Status and output for a process that gives so much back upon TERM and then saves so long; did it live on."""
    meminfo = machine.folder / "meminfo"
    with running(sys.executable, "-c", GIVES_BACK, str(meminfo), kib, str(seconds)) as (pid, start):
        result = machine.do(SCRIPT.replace("/proc/meminfo", str(meminfo)), pid, start, "1")
        return result.status, result.text, state_of(pid) != "Z"


def test_what_gave_its_memory_back_is_not_killed_while_it_saves(machine: Machine) -> None:
    status, text, lives = giving_back(machine, BACK, 1.5)
    assert (status, "no KILL as yet" in text, ": KILL" in text, lives) == (0, True, False, False)


def test_what_gave_its_memory_back_and_does_not_end_is_left(machine: Machine) -> None:
    status, text, lives = giving_back(machine, BACK, 60)
    assert (status, text.endswith("is left to end by itself\n"), lives) == (0, True, True)


def test_what_keeps_its_memory_is_killed(machine: Machine) -> None:
    status, text, lives = giving_back(machine, NOT_BACK, 60)
    assert (status, "its memory is not back: KILL" in text, lives) == (0, True, False)


def test_without_patience_nothing_is_killed(machine: Machine) -> None:
    with running("sh", "-c", "trap '' TERM; echo; exec sleep 60") as (pid, start):
        result = machine.do(SCRIPT, pid, start, "0")
        assert (result.status, "nobody waited" in result.text) == (0, True)
        assert state_of(pid) in "SR"


def test_another_process_with_that_pid_is_left_alone(machine: Machine) -> None:
    with running("sh", "-c", "echo; exec sleep 60") as (pid, start):
        gone = f"process {pid} is gone or another one by now\n"
        result = machine.do(SCRIPT, pid, str(int(start) + 1), "1")
        assert (result.status, result.text) == (3, gone)
        assert state_of(pid) in "SR"
    assert machine.do(SCRIPT, str(2**22 + 1), start, "1").status == 3


def test_a_zombie_has_ended(machine: Machine) -> None:
    with running("sh", "-c", "echo; exec sleep 60", reap=False) as (pid, start):
        result = machine.do(SCRIPT, pid, start, "5")
        assert (result.status, "zombie until its parent" in result.text) == (0, True)
        assert state_of(pid) == "Z"


THREADS_GO_ON = """
import ctypes, signal, threading, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=lambda: (time.sleep(0.2), print(flush=True), time.sleep(60))).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_zombie_whose_threads_go_on_has_not_ended(machine: Machine) -> None:
    with running(sys.executable, "-c", THREADS_GO_ON) as (pid, start):
        assert state_of(pid) == "Z"
        result = machine.do(SCRIPT, pid, start, "1")
        assert (result.status, "KILL" in result.text) == (0, True)


def test_what_survives_kill_is_unknown(machine: Machine) -> None:
    with running("sh", "-c", "echo; exec sleep 60") as (pid, start):
        result = machine.do(UNKILLABLE, pid, start, "1")
        assert result.status == STILL_GOING
        assert "is still there 1 s after KILL: it is in state S" in result.text


WAITS_IN_THE_KERNEL = """
import os, sys
print(flush=True)
os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)])
"""


def test_what_waits_in_the_kernel_is_said(machine: Machine, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with running(sys.executable, "-c", WAITS_IN_THE_KERNEL, str(fifo)) as (pid, start):
        result = machine.do(UNKILLABLE, pid, start, "1")
        os.close(os.open(fifo, os.O_RDWR))
    assert result.status == STILL_GOING
    assert "state D" in result.text
