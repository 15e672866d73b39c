"""Gives every record of a host's journal what makes it readable alone: when, which run, who, where, with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from memrunbook.core.host import HostIdentity
from memrunbook.core.runbook.bound import Runbook
from memrunbook.runtime.ports import Clock
from memrunbook.state.journal import RunJournal
from memrunbook.state.run_directory import RunDirectory
from memrunbook.version import __version__


@dataclass
class HostJournal:
    """The journal port of one host's run; `copy` is handed each record that was written (for `run --json`)."""

    directory: RunDirectory
    journal: RunJournal
    host: str
    runbook: Runbook
    actor: Mapping[str, str]
    clock: Clock
    identity: HostIdentity = field(default_factory=HostIdentity)
    copy: Callable[[dict[str, Any]], None] | None = None

    def append(self, payload: dict[str, Any]) -> str:
        """Writes one record durably and returns its hash."""
        now = self.clock.now()
        record = {
            "time": now.isoformat(),
            "monotonic": now.monotonic,
            "run": self.directory.run_id,
            "actor": dict(self.actor),
            "engine": __version__,
            "runbook": self.runbook.name,
            "runbook_digest": self.runbook.digest,
            "host": self.host,
            "identity": msgspec.to_builtins(self.identity),
            **payload,
        }
        self._remember_identity(payload)
        digest = self.journal.append(record)
        if self.copy is not None:
            self.copy({**record, "hash": digest})
        return digest

    def save(self, name: str, text: str) -> tuple[str, str]:
        """Keeps evidence beside the journal; its full path and SHA-256."""
        path, digest = self.directory.save(self.host, name, text)
        return str(self.directory.path / path), digest

    def _remember_identity(self, payload: dict[str, Any]) -> None:
        identity = payload.get("answer", {}).get("identity") if payload.get("event") == "answered" else None
        if identity:
            self.identity = msgspec.convert(identity, HostIdentity)
