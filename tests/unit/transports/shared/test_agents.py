"""The ssh agents of a run."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from memrunbook.transports.shared.agents import AgentReport, Agents, ask

TWO = b"\0\0\0\5\x0c\0\0\0\2"


@contextmanager
def listening(path: Path, treat: Callable[[socket.socket], object]) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    treat(door.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield str(path)
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)


def test_one_that_answers_says_how_many_keys_it_has(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(5)
        connection.sendall(TWO[:3])
        connection.sendall(TWO[3:])

    with listening(tmp_path / "a", answer) as path:
        report = ask(path, 5.0)
    assert report == AgentReport(path, "answers", 2)
    assert report.fault == ""


def test_one_that_is_silent_is_given_up_and_asked_once(tmp_path: Path) -> None:
    held: list[socket.socket] = []
    agents = Agents(seconds=0.2)
    with listening(tmp_path / "a", held.append) as path:
        assert agents.report(path, 0.01).state == "silent", "so far"
        assert [agents.report(path).state for _ in range(3)] == ["silent"] * 3
    assert len(held) == 1
    assert "did not answer" in agents.report(path).fault


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\1\x05\0\0\0\0", b"\0\0"])
def test_one_that_breaks_off_or_says_something_else(tmp_path: Path, answer: bytes) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(5)
        connection.sendall(answer)
        connection.close()

    with listening(tmp_path / "a", hang_up) as path:
        report = ask(path, 2.0)
    assert report.state == "broken"
    assert "does not answer" in report.fault


def test_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ask(str(tmp_path / "none"), 5.0)
    assert (gone.state, gone.fault) == ("absent", f"no ssh agent listens at {tmp_path}/none")
    assert ask("a\0b", 5.0).state == ask("x" * 200, 5.0).state == "absent"
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert Agents().report("") == AgentReport("", "none")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "none"))
    assert Agents().report("").state == "absent"
    assert Agents().report("none").state == "none"
