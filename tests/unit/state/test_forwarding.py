"""Heads and changes go to another log too; a log that takes nothing stops nothing and is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state import forwarding, ledger
from memrunbook.state.forwarding import GIVEN_UP, Forwarder, forward_change
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.paths import prepare

AT = "2026-11-22T09:41:07.000Z"
ASKED = {
    "event": "asked",
    "time": AT,
    "run": "20261122T094107Z-abcd",
    "host": "web 1",
    "actor": {"user": "root", "sudo_user": "ada", "control_node": "ctl-1"},
    "request": {"type": "Execute", "step": "act", "undo": True, "change": {"action": "set_sysctl", "target": "vm.x"}},
}


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        log.settimeout(5)
        monkeypatch.setattr(forwarding, "SYSLOG", str(tmp_path / "log"))
        monkeypatch.setattr(forwarding, "JOURNALD", str(tmp_path / "log"))
        yield log


@contextmanager
def over_udp() -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(5)
        yield log, f"udp://127.0.0.1:{log.getsockname()[1]}"


def test_syslog_and_journald_get_a_line(listening: socket.socket) -> None:
    Forwarder("syslog").send(AT, ledger=3, head="abc", why="two words\n", empty="")
    assert listening.recv(4096) == rb'<85>runbook-audit: ledger=3 head=abc why="two words\n"'
    Forwarder("journald").send(AT, ledger=3)
    assert listening.recv(4096) == b"MESSAGE=ledger=3\nPRIORITY=5\nSYSLOG_IDENTIFIER=runbook-audit\n"


def test_another_machine_gets_a_line(tmp_path: Path) -> None:
    with over_udp() as (log, place):
        Forwarder(place, "ctl-1").send(AT, ledger=3)
        assert log.recv(4096) == b"<85>1 2026-11-22T09:41:07.000Z ctl-1 runbook-audit - - - ledger=3"
    with socket.create_server(("127.0.0.1", 0)) as server:
        forwarder = Forwarder(f"tcp://127.0.0.1:{server.getsockname()[1]}", "ctl-1")
        taken: list[bytes] = []
        reader = threading.Thread(target=lambda: taken.append(_all(server)))
        reader.start()
        forwarder.send(AT, ledger=3)
        forwarder.send(AT, ledger=4)
        forwarder._close()
        reader.join(10)
    one = b"<85>1 2026-11-22T09:41:07.000Z ctl-1 runbook-audit - - - ledger=3"
    assert taken == [b"%d %s%d %s" % (len(one), one, len(one), one.replace(b"=3", b"=4"))]
    assert forwarder.problem == ""


def _all(server: socket.socket) -> bytes:
    stream, _ = server.accept()
    with stream, stream.makefile("rb") as file:
        return file.read()


def test_a_log_that_takes_nothing_is_told_and_soon_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "SYSLOG", str(tmp_path / "nothing"))
    forwarder = Forwarder("syslog")
    forwarder.send(AT, ledger=1)
    assert forwarder.problem == "1 line of the audit could not be forwarded to syslog: no such file or directory"
    for number in range(GIVEN_UP):
        forwarder.send(AT, ledger=number)
    assert forwarder.lost == GIVEN_UP + 1
    refused = Forwarder("tcp://127.0.0.1:1")
    refused.send(AT, ledger=1)
    assert "1 line" in refused.problem
    Forwarder("").send(AT, ledger=1)


@pytest.mark.parametrize("place", ["nowhere", "udp://", "http://a"])
def test_a_place_that_is_none_is_refused_before_anything_is_done(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(forwarding.VARIABLE, place)
    with pytest.raises(UsageError, match="no log to forward to"):
        prepare(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_heads_and_changes_are_forwarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with over_udp() as (log, place):
        monkeypatch.setenv(forwarding.VARIABLE, place)
        [sealed] = ledger.append(tmp_path, [LedgerEntry("20261122T094107Z-abcd", "run.jsonl", "end", "0" * 64, 2)], AT)
        said = log.recv(4096).decode()
        assert f"ledger=1 head={sealed.hash} run=20261122T094107Z-abcd file=run.jsonl event=end records=2" in said
        forward_change(ASKED, "f" * 64)
        said = log.recv(4096).decode()
        assert 'change=asked run=20261122T094107Z-abcd host="web 1" step=act' in said
        assert f'action="set_sysctl" target=vm.x undo=yes record={"f" * 64} by=root sudo=ada node=ctl-1' in said
        forward_change({**ASKED, "event": "answered", "request": None, "answer": {"type": "Done"}}, "e" * 64)
        assert "change=Done" in log.recv(4096).decode()
        forward_change({**ASKED, "request": {"type": "ReadFacts"}}, "d" * 64)
        forward_change({**ASKED, "event": "answered", "answer": {"type": "Snapshot"}}, "d" * 64)
        log.settimeout(0.1)
        with pytest.raises(TimeoutError):
            log.recv(4096)
