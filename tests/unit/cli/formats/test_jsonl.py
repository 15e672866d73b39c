"""Each host is written when it has ended, and let go: a fleet needs no more memory than its sum."""

from __future__ import annotations

import gc
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from memrunbook.cli.formats import jsonl
from memrunbook.cli.main import main
from memrunbook.cli.reply import Reply
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.documents.printed.diagnose import DiagnoseDocument, PrintedHost
from memrunbook.documents.printed.diagnose_host import diagnose_host
from memrunbook.documents.printed.facts import FactsHost

MEMINFO = "MemTotal: 1000 kB\nMemFree: 900 kB\nMemAvailable: 900 kB\n"
CASE = f"@@case begin 5.0\n@@case file /proc/meminfo\n{MEMINFO}@@case end 5.1\n"
LARGE = (Snapshot, PrintedHost, FactsHost)


def in_memory() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, LARGE))


class Stdout(io.StringIO):
    """Counts what has come into memory of hosts, and is there still, when the last line is written."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last = last
        self.before = in_memory()
        self.left: Counter[str] | None = None

    def write(self, text: str) -> int:
        if self.left is None and self.last in text:
            self.left = in_memory() - self.before
        return super().write(text)


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the recordings of three hosts of which one cannot be read."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    for name in ("a", "b", "gone"):
        (folder / f"{name}.replay").write_text(
            CASE.splitlines(keepends=True)[0] if name == "gone" else CASE, encoding="utf-8"
        )
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def said(words: Sequence[str], last: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Stdout, int | str | None]:
    stdout = Stdout(last)
    monkeypatch.setattr(sys, "argv", ["runbook", *words])
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit) as ended:
        main()
    return stdout, ended.value.code


COMMANDS = [
    (["diagnose"], {"not-judged": 2, "unreachable": 1}),
    (["plan", "memory-shortage"], {"not-judged": 2, "unreachable": 1}),
    (["facts", "memory"], {"ok": 2, "unreachable": 1}),
]


@pytest.mark.parametrize(("words", "outcomes"), COMMANDS)
def test_the_last_line_sums_up_hosts_that_are_not_kept(
    words: list[str], outcomes: dict[str, int], hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout, code = said([*words, "--replay", str(hosts), "--format", "jsonl"], '"event":"summary"', monkeypatch)
    *lines, summary = [json.loads(line) for line in stdout.getvalue().splitlines()]
    assert sorted(line["host"] for line in lines) == ["a", "b", "gone"]
    assert Counter(line["outcome"] for line in lines) == outcomes
    assert (summary["hosts"], summary["outcomes"], summary["exit_code"]) == (3, outcomes, code)
    assert "hosts" not in summary["rest"]
    assert stdout.left == Counter(), "nothing is kept of a host that was written"


@pytest.mark.parametrize("words", [["diagnose"], ["plan", "memory-shortage"]])
def test_of_many_hosts_no_snapshot_is_kept_for_the_page(
    words: list[str], hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout, _ = said([*words, "--replay", str(hosts)], "hosts", monkeypatch)
    assert stdout.left == Counter()


def test_an_answer_without_hosts_is_the_document_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    document = DiagnoseDocument(hosts=(PrintedHost(host="web1", outcome="judged"),), verdict="fine")
    jsonl.show(Reply(0, lambda: document, list), "never")
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["hosts"][0]["host"] == "web1"


def test_a_host_is_one_line_whatever_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    jsonl.host(lambda: diagnose_host(PrintedHost(host="a\nb", outcome="unreachable", error="password=hunter2")))
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["host"] == "a\nb"
    assert "hunter2" not in out
