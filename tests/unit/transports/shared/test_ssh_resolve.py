"""Asking `ssh -G`: once a host, within a deadline."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memrunbook.core.errors import Unreachable, UsageError
from memrunbook.transports.shared import ssh_resolve
from memrunbook.transports.shared.ssh_resolve import Resolver, ssh_program


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `ssh` that says what it was asked, and does what its file `does` holds."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n. {tmp_path}/does\n', encoding="ascii")
    program.chmod(0o755)
    (tmp_path / "does").write_text("echo hostname 192.0.2.7; echo port 23\n", encoding="ascii")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path


def _asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text(encoding="ascii").splitlines()


def test_what_was_typed_is_handed_on_and_each_host_is_asked_once(ssh: Path) -> None:
    (ssh / "key").touch()
    resolver = Resolver(ssh / "config", (ssh / "key", ssh / "none"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: resolver.settings("web", "ada", 22), range(8)))
    assert {one.host_name for one in found} == {"192.0.2.7"}
    assert _asked(ssh) == [f"-T -N -G -F {ssh}/config -l ada -p 22 -i {ssh}/key -- web"]
    assert Resolver().settings("web").port == 23
    assert _asked(ssh)[1:] == ["-T -N -G -- web"]


def test_many_hosts_are_asked_at_once(ssh: Path) -> None:
    (ssh / "does").write_text("sleep 0.5; echo hostname x\n", encoding="ascii")
    resolver = Resolver()
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(resolver.settings, [f"web{number}" for number in range(10)]))
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("said", "where", "why"),
    [
        ("/etc/c: line 7: Bad configuration option: riddle", "/etc/c:7", "Bad configuration option: riddle"),
        ("/etc/c line 7: Bad port 'x'.", "/etc/c:7", "Bad port 'x'."),
        ("Bad owner or permissions on /c", "web", "ssh refuses its configuration: Bad owner or permissions on /c"),
        ("", "web", "ssh refuses its configuration: it said nothing"),
    ],
)
def test_what_ssh_refuses_is_told_with_its_place(ssh: Path, said: str, where: str, why: str) -> None:
    text = f'echo "{said}" >&2; echo "c: terminating, 1 bad configuration options" >&2; exit 255\n'
    (ssh / "does").write_text(text, encoding="ascii")
    with pytest.raises(UsageError) as refused:
        Resolver().settings("web")
    assert (refused.value.where, refused.value.message) == (where, why)
    assert refused.value.hint == "ssh refuses it too: ssh -G web"


@pytest.mark.parametrize("said", ['ssh: Could not resolve host "web"', "ssh: Could not resolve hostname web: none"])
def test_a_name_that_must_be_found_and_is_not_is_no_fault_of_the_configuration(ssh: Path, said: str) -> None:
    (ssh / "does").write_text(f"echo '{said}' >&2; exit 255\n", encoding="ascii")
    with pytest.raises(Unreachable, match="the name web could not be resolved"):
        Resolver().settings("web")


def test_what_is_printed_and_not_understood(ssh: Path) -> None:
    (ssh / "does").write_text("echo 'proxyjump a]b'\n", encoding="ascii")
    with pytest.raises(UsageError, match="not understood"):
        Resolver().settings("web")


def test_one_that_hangs_is_ended_with_what_it_started(ssh: Path) -> None:
    (ssh / "does").write_text(f"sleep 60 & echo $! >{ssh}/child; wait\n", encoding="ascii")
    resolver = Resolver(seconds=0.5)
    for _ in range(2):
        with pytest.raises(Unreachable, match="did not end within"):
            resolver.settings("web")
    assert len(_asked(ssh)) == 1
    child = int((ssh / "child").read_text())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/exe").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}/exe").exists()


def test_who_waits_for_an_answer_gets_the_same_fault(ssh: Path) -> None:
    (ssh / "does").write_text("sleep 0.5; exit 1\n", encoding="ascii")
    resolver, faults = Resolver(), list[BaseException]()

    def ask() -> None:
        try:
            resolver.settings("web")
        except UsageError as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(faults) == 4
    assert len(_asked(ssh)) == 1


def test_without_ssh_our_own_reader_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ssh_program() == ""
    (tmp_path / "config").write_text("Host web\n Port 23\n", encoding="ascii")
    assert Resolver(tmp_path / "config").settings("web").port == 23


def test_an_ssh_that_is_too_old_to_be_asked(ssh: Path) -> None:
    (ssh / "does").write_text('echo "unknown option -- G" >&2; exit 255\n', encoding="ascii")
    (ssh / "config").write_text("Host web\n Port 23\n", encoding="ascii")
    assert Resolver(ssh / "config").settings("web").port == 23


def test_a_uid_without_a_name_is_none_that_ssh_serves(ssh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ssh_program() == f"{ssh}/bin/ssh"
    monkeypatch.setattr(ssh_resolve, "named_user", lambda: "")
    assert ssh_program() == ""
