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
from typing import Any

import pytest
from tests.cli.books import act, book, look
from tests.cli.conftest import arguments
from tests.cli.console import WORDS, environment, here, terminal
from tests.machines import machines, needs_machines
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
    deadline = time.monotonic() + 90
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
        assert f"error: {name}: interrupted while it was" in screen.drawn
    assert "Traceback" not in screen.drawn


@pytest.mark.parametrize("ends", ["by itself", "by Ctrl-C"])
def test_a_silent_host_delays_no_other_whose_line_comes_when_it_has_ended(server: Server, ends: str) -> None:
    hosts = _hosts(server)
    with silent_port() as port, (server.folder / "config").open("a", encoding="ascii") as config:
        config.write(f"Host slow\n HostName 127.0.0.1\n Port {port}\n User {USER}\n")
        config.flush()
        patience = "--patience=100s" if ends == "by Ctrl-C" else "--patience=20s"
        command = [*WORDS, "facts", "memory", "--samples=1", "--format=jsonl", patience, "--host=slow", *hosts]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in HOSTS]
        assert process.poll() is None, "the silent host is still waited for"
        if ends == "by Ctrl-C":
            process.send_signal(signal.SIGINT)
        *rest, end = [json.loads(content) for content in process.stdout]
        code = process.wait(10)
    outcome, code_of = ("interrupted", 130) if ends == "by Ctrl-C" else ("unreachable", 4)
    assert {(one["host"], one["outcome"]) for one in lines} == {(name, "ok") for name in HOSTS}
    assert [(one["host"], one["outcome"]) for one in rest] == [("slow", outcome)]
    assert end["outcomes"] == {"ok": 5, outcome: 1}
    assert end["exit_code"] == code == code_of


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[list[str]]:
    """The words that reach hosts which no other test can hold the locks of."""
    needs_machines()
    with machines(tmp_path / "machines", HOSTS) as running:
        yield [*running.arguments, f"--host={','.join(HOSTS)}", "--forks=2"]


@pytest.mark.usefixtures("state")
def test_ctrl_c_twice_says_how_far_each_host_had_come(apart: list[str], tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    path = book(tmp_path, act("act", "sh", "-c", f"touch {begun}; sleep 60", timeout="2m"))
    command = [*WORDS, "run", path, "--yes", "--json", *apart]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    assert process.stderr is not None
    records: list[dict[str, Any]] = []
    while not records or (records[-1].get("request") or {}).get("type") != "Execute":
        line = process.stdout.readline()
        assert line, process.stderr.read().decode()
        records.append(json.loads(line))
    deadline = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun.exists()
    process.send_signal(signal.SIGINT)
    while b"Ctrl-C again leaves at once" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    *more, summary = [json.loads(content) for content in out.splitlines()]
    assert {record["host"] for record in [*records, *more]} <= set(HOSTS), "each line names its host"
    told = {host["host"]: (host["outcome"], host["why"]) for host in summary["hosts"]}
    assert set(told) == set(HOSTS)
    assert {outcome for outcome, _ in told.values()} == {"interrupted"}
    assert any(outcome == "interrupted" and "under way: act" in why for outcome, why in told.values())
    assert b"runbook resume" in err
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
