"""Which saved plans were carried out already, and by which run: an approval is for once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memrunbook.core.action.action import Repeat
from memrunbook.core.run.request import Execute
from memrunbook.state.lines import read_lines
from memrunbook.state.names import file_name
from memrunbook.state.runs import runs


def carried_out(state: Path, digest: str) -> dict[str, str]:
    """By host, the newest run that began a change of the plan file of this digest (SHA-256 in hex)."""
    found: dict[str, str] = {}
    for run in runs(state):
        applied = run.invoked.applied if run.invoked else None
        if applied is None or applied.digest != digest:
            continue
        for host in run.hosts:
            if host not in found and _began(run.path / f"{file_name(host)}.jsonl"):
                found[host] = run.run_id
    return found


class _Question(msgspec.Struct, tag_field="event", tag="asked"):
    request: msgspec.Raw


def _began(journal: Path) -> bool:
    """True where the journal asked for a change that is more than a look."""
    questions = (bytes(one.request) for one in read_lines(journal, _Question))
    executes = (msgspec.json.decode(one) for one in questions if b'"Execute"' in one)
    return any(
        one.get("type") == Execute.__name__ and one["change"].get("effect") != Repeat.READ.value for one in executes
    )
