"""Which saved plans were carried out already, and by which run: an approval is for once."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import msgspec

from memrunbook.core.action.action import Repeat
from memrunbook.core.run.record import Invoked
from memrunbook.core.run.request import Execute
from memrunbook.state import disk
from memrunbook.state.lines import read_lines
from memrunbook.state.names import file_name
from memrunbook.state.run_directory import RUN, RUN_ID


def carried_out(state: Path, digest: str, host: str) -> str:
    """The newest run that began a change on this host for the plan file of this digest (SHA-256 in hex), else ""."""
    folder = state / "runs"
    with disk.explained(folder, "be read"):
        names = [path.name for path in folder.iterdir() if RUN_ID.fullmatch(path.name)] if folder.is_dir() else []
    for name in sorted(names, reverse=True):
        journal = folder / name / f"{file_name(host)}.jsonl"
        if _of_plan(folder / name / RUN, digest) and _began(journal):
            return name
    return ""


def _of_plan(journal: Path, digest: str) -> bool:
    """True for a run of this plan file; only its first record is read."""
    with disk.explained(journal, "be read"), journal.open("rb") if journal.exists() else BytesIO() as file:
        first = file.readline()
    try:
        applied = msgspec.json.decode(first, type=Invoked).applied if digest.encode() in first else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return applied is not None and applied.digest == digest


class _Question(msgspec.Struct, tag_field="event", tag="asked"):
    request: msgspec.Raw


def _began(journal: Path) -> bool:
    """True where the journal asked for a change that is more than a look."""
    questions = (bytes(one.request) for one in read_lines(journal, _Question))
    executes = (msgspec.json.decode(one) for one in questions if b'"Execute"' in one)
    return any(
        one.get("type") == Execute.__name__ and one["change"].get("effect") != Repeat.READ.value for one in executes
    )
