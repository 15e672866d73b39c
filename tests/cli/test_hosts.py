"""Hosts that cannot be reached or go away: what is said, the exit code, and what the journal knows afterwards."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book, look
from tests.cli.conftest import arguments
from tests.cli.console import Ran, here
from tests.ssh import servers
from tests.ssh.servers import CUT, STALL, Server, listening
from tests.sshd import Sshd, free_port

PATIENCE = 1.0


def _reached(*words: str) -> Ran:
    return here("facts", "memory", "--samples", "1", *words)


def _run(*words: str) -> Ran:
    return here("run", *words)


def _intact() -> None:
    assert here("audit", "verify").code == 0


def test_an_unknown_host_key_is_refused_with_its_fingerprint(sshd: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    ran = _reached(*[word for word in sshd.arguments if "known" not in word], f"--known-hosts={empty}")
    ran.refused(4, sshd.fingerprint(), hint="ssh-keyscan")
    assert "--accept-new-host-keys" in ran.said
    assert empty.read_text() == ""


def test_a_changed_host_key_is_refused_even_when_new_ones_are_accepted(server: Server) -> None:
    known = server.folder / "known_hosts"
    name, kind, key = known.read_text(encoding="ascii").split()[:3]
    known.write_text(f"{name} {kind} {key[:-3]}{'AAA' if key[-3:] != 'AAA' else 'BBB'}\n", encoding="ascii")
    ran = _reached(*arguments(server), "--accept-new-host-keys")
    ran.refused(4, "SHA256:", str(known), hint="")
    assert server.logins == []


def test_a_wrong_user_is_told_which_keys_were_refused(server: Server) -> None:
    words = [word.replace(f"{servers.USER}@", "nosuchuser@") for word in arguments(server)]
    _reached(*words).refused(4, "refused nosuchuser", str(server.folder / "id"), hint="USER@HOST")


def test_no_key_at_all(server: Server) -> None:
    _reached(*[word for word in arguments(server) if "identity" not in word]).refused(
        4, "no usable key", hint="--identity"
    )


def test_sudo_that_refuses_where_root_is_demanded(server: Server) -> None:
    _reached(*arguments(server), "--sudo=always").refused(4, "a password is required", hint="NOPASSWD")
    assert _reached(*arguments(server), "--sudo=never").code == 0
    assert _reached(*arguments(server)).code == 0


def test_a_host_that_is_down() -> None:
    _reached(f"--host=127.0.0.1:{free_port()}").refused(4, "nothing listens at TCP port", hint="sshd")
    _reached("--host=nosuch.invalid").refused(4, "could not be resolved", hint="spelling")


def _silent(connection: socket.socket) -> None:
    connection.recv(1000)


def _hangs_up(connection: socket.socket) -> None:
    connection.close()


def _no_ssh(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[31m" * 100)


@pytest.mark.parametrize("command", [["facts", "memory"], ["plan", "oom-event"], ["run", "oom-event"], ["diagnose"]])
def test_an_open_port_that_stays_silent_ends_within_its_patience(command: list[str]) -> None:
    with listening(_silent) as port:
        began = time.monotonic()
        ran = here(*command, f"--host=127.0.0.1:{port}", f"--patience={PATIENCE:.0f}s")
        took = time.monotonic() - began
    assert ran.code == 4
    assert "no SSH banner in 1 s" in ran.said
    assert "SysRq-f" in ran.said
    assert PATIENCE <= took < 20, "the wait without the option; how exact it is, tests/ssh says"


def test_a_silent_login_ends_within_its_patience(server: Server) -> None:
    server.slow_login = True
    began = time.monotonic()
    ran = _reached(*arguments(server), "--patience=1s")
    ran.refused(4, "login was not finished", hint="--patience")
    assert time.monotonic() - began < PATIENCE + 2


def test_a_port_that_is_no_ssh_server() -> None:
    with listening(_no_ssh) as port:
        ran = _reached(f"--host=127.0.0.1:{port}", "--patience=2s")
    assert ran.code == 4
    ran.plain()
    with listening(_hangs_up) as port:
        _reached(f"--host=127.0.0.1:{port}", "--patience=2s").refused(4, "closed the connection", hint="MaxStartups")


def test_one_host_of_three_that_is_down_is_told_and_the_others_are_read(server: Server) -> None:
    down = free_port()
    words = arguments(server)
    ran = here("facts", "memory", "--samples=1", "--json", *words, f"--host=localhost:{down}")
    assert ran.code == 4
    by_name = {host["host"]: host for host in json.loads(ran.out)["hosts"]}
    assert by_name["127.0.0.1"]["outcome"] == "ok"
    assert by_name["localhost"]["outcome"] == "unreachable"
    assert "nothing listens" in by_name["localhost"]["error"]


def test_one_name_for_two_logins_is_refused() -> None:
    ran = here("plan", "oom-event", "--host=127.0.0.1:2201,127.0.0.1:2202")
    ran.refused(2, "127.0.0.1 is named 2 times", hint="HostName")


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("word", "seconds"), [(CUT.decode(), 8.0), (STALL.decode(), 8.0)])
def test_a_once_only_step_whose_end_was_not_seen_is_unknown(
    server: Server, tmp_path: Path, word: str, seconds: float
) -> None:
    done = tmp_path / "done"
    path = book(
        tmp_path,
        act("once", "sh", "-c", f"touch {done}; echo '{word}'; sleep 30", timeout="1s"),
        look("never", "uptime"),
    )
    began = time.monotonic()
    ran = _run(path, *arguments(server), "--yes", "--sudo=never")
    assert time.monotonic() - began < seconds
    assert ran.code == 7, ran.said
    assert "Traceback" not in ran.said
    assert done.exists()
    assert "look at the host" in ran.out
    assert "never" in ran.out
    assert here("report", "last").out.startswith("UNKNOWN")
    _intact()


@pytest.mark.usefixtures("machine")
def test_endless_output_of_a_step_is_cut_off(server: Server, tmp_path: Path) -> None:
    began = time.monotonic()
    ran = _run(book(tmp_path, act("yes", "yes", timeout="20s")), *arguments(server), "--yes", "--sudo=never")
    assert ran.code == 7, ran.said
    assert time.monotonic() - began < 15
    assert sum(file.stat().st_size for file in (tmp_path / "state").rglob("*") if file.is_file()) < 2_000_000
    _intact()


@pytest.mark.usefixtures("machine")
def test_a_step_that_only_looks_and_has_no_end_has_failed(server: Server, tmp_path: Path) -> None:
    ran = _run(book(tmp_path, look("yes", "yes", timeout="1s")), *arguments(server), "--yes", "--sudo=never")
    assert ran.code in (3, 4), ran.said
    assert "Traceback" not in ran.said
    _intact()


class Cutter:
    """Passes scripts on to the shell, and cuts the connection when the one of this number comes."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.seen = 0

    async def feed(self, process: Any, sink: Any) -> None:
        while data := await process.stdin.read(1 << 16):
            self.seen += data.count(b"memrunbook_run() {")
            if self.at and self.seen >= self.at:
                process.channel.get_connection().abort()
                return
            sink.write(data)
            sink.flush()
        sink.close()


@pytest.mark.usefixtures("machine")
def test_a_connection_cut_at_any_script_leaves_nothing_untold(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "done"
    steps = [look("first", "uptime"), act("once", "sh", "-c", f"echo x >>{done}")]
    path = book(tmp_path, *steps)

    def run(at: int) -> tuple[Ran, Cutter]:
        cutter = Cutter(at)
        monkeypatch.setattr(servers, "_feed", cutter.feed)
        done.unlink(missing_ok=True)
        monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / f"state{at}"))  # no limit by what was done before
        return _run(path, *arguments(server), "--yes", "--sudo=never", "--break-lock"), cutter

    whole, counted = run(0)
    assert "done" in whole.out, whole.said
    for at in range(1, counted.seen + 1):
        ran, _ = run(at)
        assert ran.code in (0, 3, 4, 7), (at, ran.said)
        assert "Traceback" not in ran.said
        assert "defect" not in ran.said
        times = done.read_text().count("x") if done.exists() else 0
        assert times <= 1, at
        if ran.code in (0, 3):
            assert at >= counted.seen - 1, ran.said  # only the lock was still to be given back
        if times:
            assert "once" in ran.out, ran.said
        if ran.code == 4 and times:
            assert "not proven" in ran.out, ran.said
        _intact()


@pytest.mark.parametrize("words", [("--host", "all"), ("--host", "web1,all"), ("--host", "web1", "-l", "all")])
def test_all_hosts_of_no_inventory_are_no_host_of_that_name(words: tuple[str, ...]) -> None:
    for command in (("plan", "memory-shortage"), ("diagnose",), ("facts",)):
        here(*command, *words).refused(2, "`all` means the hosts of an inventory", hint="-i FILE")
