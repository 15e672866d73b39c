"""Several hosts on fewer workers: all of them wait, and Ctrl-C ends all waits."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.cli.books import book, look
from tests.cli.conftest import arguments
from tests.cli.console import here, terminal
from tests.ssh.servers import USER, Server

HOSTS = ("one", "two", "three", "four", "five")


def _hosts(server: Server) -> list[str]:
    """One server under five names."""
    lines = [f"Host {name}\n HostName 127.0.0.1\n Port {server.port}\n User {USER}\n" for name in HOSTS]
    (server.folder / "config").write_text("".join(lines), encoding="ascii")
    return [*arguments(server)[1:], f"--host={','.join(HOSTS)}", "--forks=2"]


def _all_read(server: Server) -> None:
    """Until every host has been entered, and so waits for its next sample or soon will."""
    deadline = time.monotonic() + 30
    while len(server.logins) < len(HOSTS) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(server.logins) == len(HOSTS)


def test_ctrl_c_ends_the_wait_of_all_hosts(server: Server) -> None:
    with terminal("facts", "memory", "--every", "60", *_hosts(server)) as screen:
        screen.expect("reading 5 hosts, 2 samples, about 60 s; Ctrl-C to give up")
        _all_read(server)
        screen.type("\x03")
        assert screen.wait(10) == 130, screen.drawn
    assert "Interrupted" in screen.drawn
    assert "Traceback" not in screen.drawn


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
