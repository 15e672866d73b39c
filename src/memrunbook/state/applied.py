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


class AppliedRuns:
    """The runs of a state directory that carried out saved plans: each run is opened once, whatever is asked then."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "runs"
        self._by_digest: dict[str, list[str]] = {}
        with disk.explained(self._folder, "be read"):
            there = self._folder.iterdir() if self._folder.is_dir() else ()
            names = [path.name for path in there if RUN_ID.fullmatch(path.name)]
        for name in sorted(names, reverse=True):
            if digest := _plan_of(self._folder / name / RUN):
                self._by_digest.setdefault(digest, []).append(name)

    def newest(self, digest: str, host: str) -> str:
        """The newest run that began a change on this host for the plan of this digest (SHA-256 in hex), else ""."""
        for name in self._by_digest.get(digest, ()):
            if _began(self._folder / name / f"{file_name(host)}.jsonl"):
                return name
        return ""


def begun_for(state: Path, digest: str, since: str) -> str:
    """The newest run for a plan of this digest among those whose id is not before `since`, else ""; quickly."""
    folder = state / "runs"
    with disk.explained(folder, "be read"):
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    new = sorted((name for name in names if name >= since and RUN_ID.fullmatch(name)), reverse=True)
    return next((name for name in new if _plan_of(folder / name / RUN) == digest), "")


def carried_out(state: Path, digest: str, host: str) -> str:
    """The same of one plan; who asks of many keeps `AppliedRuns`."""
    return AppliedRuns(state).newest(digest, host)


def _plan_of(journal: Path) -> str:
    """The digest of the plan file that a run carried out, empty for other runs; only its first record is read."""
    with disk.explained(journal, "be read"), journal.open("rb") if journal.exists() else BytesIO() as file:
        first = file.readline()
    try:
        applied = msgspec.json.decode(first, type=Invoked).applied if b'"applied":{' in first else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return applied.digest if applied is not None else ""


class _Question(msgspec.Struct, tag_field="event", tag="asked"):
    request: msgspec.Raw


def _began(journal: Path) -> bool:
    """True where the journal asked for a change that is more than a look."""
    questions = (bytes(one.request) for one in read_lines(journal, _Question))
    executes = (msgspec.json.decode(one) for one in questions if b'"Execute"' in one)
    return any(
        one.get("type") == Execute.__name__ and one["change"].get("effect") != Repeat.READ.value for one in executes
    )
