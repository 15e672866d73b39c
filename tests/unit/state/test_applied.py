"""Which run carried a saved plan out: read from the journals, whatever became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.run.record import Actor, AppliedPlan, Asked, Envelope, Invoked, plain
from memrunbook.core.run.request import Execute, Lock
from memrunbook.state.applied import AppliedRuns, carried_out

OLD, NEW = "20261122T094107Z-aaaa", "20261123T094107Z-bbbb"
DIGEST = "d" * 64
LOOK, ACT = (
    Execute("s", Change(action="a", summary="s", target="t", script="x", risk=Risk.NONE, repeat=repeat))
    for repeat in (Repeat.READ, Repeat.ONCE)
)


def line(envelope: Envelope) -> bytes:
    return msgspec.json.encode(plain(envelope)) + b"\n"


def run(state: Path, run_id: str, *requests: Lock | Execute, digest: str = DIGEST) -> Path:
    folder = state / "runs" / run_id
    folder.mkdir(parents=True)
    invoked = Invoked(time="", engine="", actor=Actor("ada"), command="", reason="", runbook="r", runbook_digest="",
                      origin="", parameters={}, hosts=("web",), applied=AppliedPlan("f", digest, "ada"))  # fmt: skip
    (folder / "run.jsonl").write_bytes(line(invoked))
    (folder / "web.jsonl").write_bytes(b"".join(line(Asked(one)) for one in requests))
    return folder


def test_nothing_was_done_where_there_are_no_runs(tmp_path: Path) -> None:
    assert carried_out(tmp_path, DIGEST, "web") == ""


@pytest.mark.parametrize(("requests", "found"), [((Lock(),), ""), ((Lock(), LOOK), ""), ((Lock(), LOOK, ACT), NEW)])
def test_only_a_change_counts(tmp_path: Path, requests: tuple[Lock | Execute, ...], found: str) -> None:
    run(tmp_path, NEW, *requests)
    assert carried_out(tmp_path, DIGEST, "web") == found
    assert carried_out(tmp_path, DIGEST, "db") == "", "another host of the same plan"
    assert carried_out(tmp_path, "e" * 64, "web") == "", "another plan"


def test_the_newest_is_named(tmp_path: Path) -> None:
    run(tmp_path, OLD, ACT)
    assert carried_out(tmp_path, DIGEST, "web") == OLD
    run(tmp_path, NEW, ACT)
    assert carried_out(tmp_path, DIGEST, "web") == NEW


def test_torn_and_missing_journals_are_passed_over(tmp_path: Path) -> None:
    torn = run(tmp_path, NEW, ACT)
    (torn / "run.jsonl").write_bytes(b'{"event":"invoked", "x": "' + DIGEST.encode())
    assert carried_out(tmp_path, DIGEST, "web") == ""
    (torn / "run.jsonl").unlink()
    assert carried_out(tmp_path, DIGEST, "web") == ""
    (tmp_path / "runs" / "notes").mkdir()
    assert carried_out(tmp_path, DIGEST, "web") == ""


def test_each_run_is_opened_once_however_many_plans_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in "abcd":
        run(tmp_path, f"20261122T094107Z-aaa{letter}", ACT, digest=letter * 64)
    opened: list[Path] = []
    before = Path.open

    def counted(path: Path, *how: Any) -> Any:
        opened.append(path)
        return before(path, *how)

    monkeypatch.setattr(Path, "open", counted)
    known = AppliedRuns(tmp_path)
    found = [known.newest(letter * 64, "web") for letter in "abcde"]
    assert [name[-1:] for name in found] == ["a", "b", "c", "d", ""]
    assert len([path for path in opened if path.name == "run.jsonl"]) == 4
