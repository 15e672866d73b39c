"""Reading back what changes left in a host's logs: in real shells, from every log, whatever else stands there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.unit.runtime.real_shells import opened, program
from tests.unit.transports.shells import each_shell

from memrunbook.runtime.ports import Output
from memrunbook.runtime.witness import LIMIT, Witness, read_log
from memrunbook.testing import ScriptedSession

RUN = "20261122T094107Z-abcd"
LINE = f"runbook: run={RUN} step=act/web 1 record={'a' * 16} by=ada@ctl-1"
OLD = f"runbook: run={RUN} step=old record={'b' * 16}"


@each_shell
def test_every_log_is_asked_and_each_line_counts_once(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, programs = tmp_path / "log", tmp_path / "programs"
    logs.mkdir()
    programs.mkdir()
    kernel = f"printf '%s\\n' '[    5.0] memory: fine' '[    6.0] {LINE}'"
    program(programs, "dmesg", kernel)
    program(programs, "journalctl", f"echo '1795340467.5 web runbook[7]: runbook: {LINE}'")
    (logs / "messages").write_bytes(b"\xff\x00\n" + f"Nov 22 web kernel: [6.0] {LINE}\n".encode())
    (logs / "syslog.1.gz").write_bytes(gzip.compress(f"Nov 21 web runbook: {OLD}\n".encode()))
    (logs / "kern.log.d").mkdir()
    (logs / "auth.log").write_text("runbook: run=20200101T000000Z-aaaa step=x record=" + "c" * 16)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    with opened(command) as session:
        found = read_log(session, str(logs))
    assert found.lines == (Witness(RUN, "act/web 1", "a" * 16, "ada@ctl-1"), Witness(RUN, "old", "b" * 16))
    assert found.sources == ("its journal", "its kernel log", f"{logs}/messages", f"{logs}/syslog.1.gz")
    assert found.problem == ""


@each_shell
def test_a_login_that_may_read_no_log_says_so(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "dmesg", "echo 'not permitted' >&2; exit 1")
    program(tmp_path, "journalctl", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with opened(command) as session:
        assert read_log(session, str(tmp_path / "log")) == read_log(session, str(tmp_path / "none"))
        assert read_log(session, str(tmp_path / "log")).sources == ()


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (Output(None, LINE, timed_out=True), "its logs could not be read to their end within 60 s"),
        (Output(None, LINE, lost=True), "the connection was lost while its logs were being read"),
        (Output(0, LINE + "x" * LIMIT), "its logs are too large to be read to their end"),
    ],
)
def test_what_could_not_be_read_is_said(output: Output, problem: str) -> None:
    found = read_log(ScriptedSession(answer=lambda _: output))
    assert (found.problem, len(found.lines)) == (problem, 1)


def test_what_only_looks_like_a_line_is_none() -> None:
    words = f"runbook: run=x step=a record={'a' * 16}\nrunbook: run={RUN} step=a record={'a' * 15}\nrunbook: run={RUN}"
    assert read_log(ScriptedSession(answer=lambda _: Output(0, words))).lines == ()
