"""The local transport, with real processes."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from memrunbook.core.errors import SudoError, Unreachable
from memrunbook.transports import local
from memrunbook.transports.local import LocalConnector
from memrunbook.transports.shared import child
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.sudo import SudoPassword

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)


@pytest.fixture
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def _put_sudo(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    _program(folder, "sudo", text)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_this_machine_answers() -> None:
    session = LocalConnector("never").connect()
    assert session.execute("echo here").text == "here\n"
    assert session.identity.address == "local"
    assert session.identity.user
    assert session.root is (os.geteuid() == 0)
    session.close()


def test_sudo_is_used_where_it_works(not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _put_sudo(monkeypatch, tmp_path, 'shift; VIA_SUDO=yes; export VIA_SUDO; exec "$@"')
    session = LocalConnector("auto").connect()
    assert session.execute('echo "$VIA_SUDO"').text == "yes\n"
    assert session.no_root == ""
    session.close()


def test_auto_goes_on_without_root(not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _put_sudo(monkeypatch, tmp_path, 'echo "sudo: a password is required" >&2; exit 1')
    session = LocalConnector("auto").connect()
    assert session.execute('echo "$VIA_SUDO"').text == "\n"
    assert session.no_root == "sudo: a password is required"
    session.close()


def test_always_says_why_sudo_refused(not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _put_sudo(monkeypatch, tmp_path, 'echo "sudo: a password is required" >&2; exit 1')
    with pytest.raises(SudoError, match="a password is required") as refused:
        LocalConnector("always").connect()
    assert "NOPASSWD" in refused.value.hint


def test_always_without_sudo_installed(not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "SUDO", ("no-such-sudo", "-n", "sh", "-s"))
    with pytest.raises(SudoError, match="no-such-sudo"):
        LocalConnector("always").connect()


def test_a_machine_without_sh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "COMMAND", ("no-such-sh", "-s"))
    with pytest.raises(Unreachable, match="sh"):
        LocalConnector("never").connect()


def test_a_root_shell_is_killed_through_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_group: int, _signal: int) -> None:
        raise PermissionError

    session = LocalConnector("never").connect()
    _put_sudo(monkeypatch, tmp_path, 'shift; exec "$@"')
    monkeypatch.setattr(os, "killpg", refuse)
    output = session.execute("child sleep 60", timeout=0.3)
    assert (output.timed_out, output.ended) == (True, True)
    session.close()


def test_a_shell_that_may_not_be_killed_is_not_called_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_group: int, _signal: int) -> None:
        raise PermissionError

    session = LocalConnector("never").connect()
    pid = int(session.execute("echo $$").text)
    monkeypatch.setattr(child, "_STOP_SECONDS", 0.3)
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        patch.setenv("PATH", str(tmp_path))
        assert not session.execute("child sleep 60", timeout=0.3).ended
    os.killpg(pid, 9)
    session.close()


def test_a_shell_that_does_not_leave_is_killed() -> None:
    child = Child(("sleep", "60"))
    child.close()
    assert child._process.returncode == -9


@pytest.fixture
def reaped_late() -> Iterator[None]:
    """Here, and not at process 1, arrives what lost its parent; nobody takes notice of its end until all is over."""
    libc = ctypes.CDLL(None)
    libc.prctl(SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(SUBREAPER, 0, 0, 0, 0)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@pytest.mark.usefixtures("reaped_late")
def test_what_is_only_to_be_reaped_is_gone() -> None:
    child = Child(("sh", "-c", "sleep 60 & echo $!; exec sleep 60"))
    orphan = int(child.receive(5.0))
    began = time.monotonic()
    assert child.kill()
    assert time.monotonic() - began < 1.0, "it is not waited for"
    assert Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    child.close()


@pytest.mark.usefixtures("reaped_late")
def test_who_is_not_shown_all_processes_does_not_call_them_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = Path("/proc/1/stat")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == hidden:
            raise FileNotFoundError
        return read(path)

    one = Child(("sh", "-c", "sleep 60 & echo $!; exec sleep 60"))
    one.receive(5.0)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(child, "_STOP_SECONDS", 0.3)
    assert not one.kill()
    one.close()


def test_a_shell_that_does_not_read_is_a_timeout() -> None:
    child = Child(("sleep", "60"))
    with pytest.raises(TimeoutError):
        child.send(b"x" * 1_000_000, 0.3)
    child.close()


ASKS = """
[ "$1" = -S ] || { echo "sudo: a password is required" >&2; exit 1; }
printf '%s' "$3" >&2; shift 3
IFS= read -r word
[ "$word" = open-Sesame1 ] && { VIA_SUDO=yes; export VIA_SUDO; exec "$@"; }
printf 'Sorry, try again.\\n@@ more' >&2; cat >/dev/null; exit 1
"""


def test_a_sudo_that_asks_gets_the_password(not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _put_sudo(monkeypatch, tmp_path, ASKS)
    session = LocalConnector("auto", SudoPassword("open-Sesame1")).connect()
    assert session.execute('echo "$VIA_SUDO"').text == "yes\n"
    assert session.no_root == ""
    session.close()
    with pytest.raises(SudoError, match="refused the password"):
        LocalConnector("auto", SudoPassword("open-Sesame2")).connect()


def test_with_a_password_a_sudo_that_refuses_is_an_error(
    not_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _put_sudo(monkeypatch, tmp_path, 'echo "you are not in the sudoers file" >&2; exit 1')
    with pytest.raises(SudoError, match="not in the sudoers file"):
        LocalConnector("auto", SudoPassword("open-Sesame3")).connect()
