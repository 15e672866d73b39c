"""Is the journal intact, and what does it say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memrunbook.app.reporting import find_run
from memrunbook.core.errors import UsageError
from memrunbook.state import audit as journals
from memrunbook.state import ledger
from memrunbook.state.audit import AuditFinding
from memrunbook.state.runs import records as records_of


@dataclass(frozen=True)
class AuditResult:
    """What was found, and the ledger's head, by which the same ledger can be known again."""

    findings: tuple[AuditFinding, ...]
    head: str

    @property
    def intact(self) -> bool:
        """True when nothing was changed."""
        return not any(finding.level == "error" for finding in self.findings)


def audit(state: Path, expect: str = "") -> AuditResult:
    """Checks every journal and the ledger; `expect` is a head that was kept elsewhere. UsageError without a journal."""
    if not state.is_dir():
        raise UsageError("there is no journal", where=str(state), hint="--state-dir names another place")
    entries = ledger.read(state)
    return AuditResult(tuple(journals.verify(state, expect)), entries[-1].hash if entries else "")


def records(state: Path, run: str, host: str | None = None) -> Iterator[dict[str, Any]]:
    """The records of a run in their order: its own journal, then each host's, or one host's alone."""
    found = find_run(state, run)
    for one in (None, *found.hosts) if host is None else (host,):
        yield from records_of(state, found.run_id, one)
