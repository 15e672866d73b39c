"""Several hosts on fewer workers: all of them wait, and Ctrl-C ends all waits."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.books import book, look
from tests.cli.conftest import arguments
from tests.cli.console import WORDS, environment, here, terminal
from tests.ssh.servers import USER, Server

HOSTS = ("one", "two", "three", "four", "five")


def _hosts(server: Server) -> list[str]:
    """One server under five names."""
    lines = [f"Host {name}\n HostName 127.0.0.1\n Port {server.port}\n User {USER}\n" for name in HOSTS]
    (server.folder / "config").write_text("".join(lines), encoding="ascii")
    return [*arguments(server)[1:], f"--host={','.join(HOSTS)}", "--forks=2"]


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield listening.getsockname()[1]


def _all_read(server: Server) -> None:
    """Until every host has been entered, and so waits for its next sample or soon will."""
    deadline = time.monotonic() + 30
    while len(server.logins) < len(HOSTS) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(server.logins) == len(HOSTS)


def test_ctrl_c_ends_the_wait_of_all_hosts(server: Server) -> None:
    with terminal("facts", "memory", "--every", "60", *_hosts(server)) as screen:
        screen.expect("reading 5 hosts, 2 samples, about 60 s; Ctrl-C shows what is known by then")
        _all_read(server)
        screen.type("\x03")
        assert screen.wait(10) == 130, screen.drawn
    for name in HOSTS:
        assert f"error: {name}: interrupted while it was read" in screen.drawn
    assert "Traceback" not in screen.drawn


def test_ctrl_c_shows_what_the_hosts_that_had_answered_said(server: Server) -> None:
    with silent_port() as port, (server.folder / "config").open("a", encoding="ascii") as config:
        hosts = _hosts(server)
        config.write(f"Host slow\n HostName 127.0.0.1\n Port {port}\n User {USER}\n")
        config.flush()
        command = [*WORDS, "facts", "memory", "--samples=1", "--json", "--patience=60s", "--host=slow", *hosts]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        _all_read(server)
        time.sleep(1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 20, "nobody waits for the host that is silent"
    assert process.returncode == 130, err
    told = {host["host"]: host for host in json.loads(out)["hosts"]}
    assert told["slow"]["outcome"] == "interrupted"
    assert told["slow"]["error"] == "interrupted while it was connected to"
    assert {told[name]["outcome"] for name in HOSTS} == {"ok"}


def test_each_host_gets_its_line_when_it_has_ended_and_a_silent_one_delays_none_of_them(server: Server) -> None:
    with silent_port() as port, (server.folder / "config").open("a", encoding="ascii") as config:
        hosts = _hosts(server)
        config.write(f"Host slow\n HostName 127.0.0.1\n Port {port}\n User {USER}\n")
        config.flush()
        command = [*WORDS, "facts", "memory", "--samples=1", "--format=jsonl", "--patience=25s", "--host=slow", *hosts]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in HOSTS]
        assert process.poll() is None, "the silent host is still waited for"
        *rest, end = [json.loads(content) for content in process.stdout]
        assert process.wait(10) == 4
    assert {one["host"] for one in lines} == set(HOSTS)
    assert [one["host"] for one in rest] == ["slow"]
    assert end["outcomes"] == {"ok": 5, "unreachable": 1}
    assert end["exit_code"] == 4


def test_ctrl_c_twice_says_how_far_each_host_had_come(server: Server, tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, look("look", "uptime"))
    command = [*WORDS, "run", path, "--watch=5m", "--json", *_hosts(server)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    _all_read(server)
    server.deaf = True
    process.send_signal(signal.SIGSTOP)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    *records, summary = [json.loads(content) for content in out.splitlines()]
    assert {record["host"] for record in records} == set(HOSTS), "each line names its host"
    assert {host["host"]: host["outcome"] for host in summary["hosts"]} == dict.fromkeys(HOSTS, "interrupted")
    assert b"Traceback" not in err


def test_ctrl_c_ends_the_watch_of_every_run_with_its_end_recorded(server: Server, tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, look("look", "uptime"))
    with terminal("run", path, "--watch", "5m", *_hosts(server)) as screen:
        _all_read(server)
        screen.type("\x03")
        assert screen.wait(20) == 130, screen.drawn
    assert "Traceback" not in screen.drawn
    journals = sorted((state / "runs").glob("*/*.jsonl"))
    ends = {path.stem: json.loads(path.read_text().splitlines()[-1]) for path in journals}
    assert {ends[name]["record"]["outcome"] for name in HOSTS} == {"interrupted"}
    assert here("audit", "verify").code == 0


def test_the_hosts_are_told_in_the_order_in_which_they_were_named(server: Server) -> None:
    ran = here("facts", "memory", "--every=0.3", "--json", *_hosts(server))
    assert ran.code == 0, ran.said
    assert [host["host"] for host in json.loads(ran.out)["hosts"]] == list(HOSTS)
