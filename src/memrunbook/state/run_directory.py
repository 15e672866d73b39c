"""The directory of one run: its journal, one for each host, and the evidence."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import re
import secrets
import string
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from msgspec import Struct, to_builtins

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.instant import Instant
from memrunbook.state import disk
from memrunbook.state.journal import RunJournal
from memrunbook.state.names import file_name
from memrunbook.state.seals import RunSeals
from memrunbook.state.witnessed import UNWITNESSED, LedgerWitness

RUN_ID = re.compile(r"\d{8}T\d{6}Z-[a-z]{4,8}")
RUN, EVIDENCE, TOLD = "run.jsonl", "evidence.jsonl", "told.jsonl"
COMMON = (RUN, EVIDENCE, TOLD)
"""Files of a run that are no journal of a host; `TOLD` is a copy of what other nodes told that carried it out."""
APPLIED_PLAN = "applied-plan.json"
"""The file of the saved plan that a run carries out, as it was: approvals are signatures of its bytes."""


def new_run_id(now: Instant, letters: int = 4) -> str:
    """A run id: the UTC time and so many random letters (4 to 8), as in 20261122T094107Z-abcd."""
    chosen = "".join(secrets.choice(string.ascii_lowercase) for _ in range(letters))
    return f"{dt.datetime.fromtimestamp(now.utc, dt.UTC):%Y%m%dT%H%M%SZ}-{chosen}"


def run_path(state: Path, run_id: str) -> Path:
    """The directory of a run; UsageError where that is no run id."""
    if not RUN_ID.fullmatch(run_id):
        raise UsageError(f"{run_id!r} is no run id", hint="runbook runs lists them")
    return state / "runs" / run_id


class SavedFile(Struct, frozen=True):
    """One saved file: `path` inside the run's directory, SHA-256 in hex, length in bytes."""

    host: str
    path: str
    sha256: str
    bytes: int


class RunDirectory(AbstractContextManager["RunDirectory"]):
    """A run's files, open for writing by this process alone. Each journal is in the ledger from its beginning.

    `run` is the journal of the invocation and the outcome. Use it as a context manager: it is closed on leaving.
    The `witness` is told where the ledger stands.
    """

    def __init__(
        self, state: Path, run_id: str, now: Callable[[], Instant], witness: LedgerWitness = UNWITNESSED
    ) -> None:
        """Opens what there is of the run; `create` and `reopen` say which is meant."""
        self.run_id = run_id
        self.path = run_path(state, run_id)
        self._now = now
        self._seals = RunSeals(state, run_id, now, COMMON, witness)
        self.run = self._opened([RUN, *(path.name for path in self.path.glob("*.jsonl") if path.name != RUN)])[0]

    @classmethod
    def create(cls, state: Path, run_id: str, now: Callable[[], Instant], witness: LedgerWitness = UNWITNESSED) -> Self:
        """A new run; JournalError where it exists or cannot be written."""
        path = run_path(state, run_id)
        disk.make_directory(path.parent)
        disk.make_new(path)
        return cls(state, run_id, now, witness)

    @classmethod
    def reopen(cls, state: Path, run_id: str, now: Callable[[], Instant], witness: LedgerWitness = UNWITNESSED) -> Self:
        """An interrupted run, to go on; UsageError where there is none, JournalError where it is damaged or running."""
        path = run_path(state, run_id) / RUN
        with disk.explained(path, "be read"):
            there = path.exists()
        if not there:
            raise UsageError(f"there is no run {run_id}", hint="runbook runs lists them")
        return cls(state, run_id, now, witness)

    def hosts(self, names: Iterable[str]) -> list[RunJournal]:
        """The journals of hosts; new ones are made with one write to the ledger for all."""
        return self._opened([f"{file_name(name)}.jsonl" for name in names])

    def host(self, name: str) -> RunJournal:
        """The journal of one host. Close it when the host is finished: many hosts are many open files."""
        return self.hosts([name])[0]

    def seal(self, host: str, *, demanded: bool = False) -> None:
        """Puts into the ledger where the journal of a host stands now: what is in it is vouched for from now on.

        JournalError where it is `demanded` that the witness knows it too, and it does not.
        """
        self._seals.so_far(self.host(host).path.name, demanded=demanded)

    def told(self) -> RunJournal:
        """The copy of what the nodes tell that carry the run out; a new one where there is none."""
        return self._opened([TOLD], demanded=False)[0]

    def save(self, host: str, name: str, text: str) -> tuple[str, str]:
        """Saves evidence; returns its path inside the run's directory and its SHA-256, which `evidence.jsonl` gets too.

        A name that is taken gets a number.
        """
        folder = self.path / "evidence" / file_name(host)
        disk.make_directory(folder)
        [index] = self._opened([EVIDENCE], demanded=False)
        content = text.encode("utf-8", "backslashreplace")
        path = _free(folder, file_name(name))
        disk.create(path, content)
        said = SavedFile(host, str(path.relative_to(self.path)), hashlib.sha256(content).hexdigest(), len(content))
        index.append({"at": self._now().isoformat(), **to_builtins(said)})
        return said.path, said.sha256

    def end(self) -> str:
        """Seals where every journal of the run ends and closes them; returns the ledger's new head."""
        head = self._seals.end()
        self.close()
        return head

    def close(self) -> None:
        """Lets go of the files; a run that was not ended before counts as interrupted."""
        for journal in self._seals.journals.values():
            journal.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, names: list[str], *, demanded: bool = True) -> list[RunJournal]:
        fresh: dict[str, RunJournal] = {}
        known = self._seals.journals
        with self._seals.turn:
            try:
                for name in dict.fromkeys(names):
                    if name not in known:
                        fresh[name] = RunJournal(self.path / name)
                if fresh:
                    disk.sync_directory(self.path)
                    self._seals.begin(fresh, demanded=demanded)
            except JournalError:
                for journal in fresh.values():
                    journal.close()
                raise
            known |= fresh
        return [known[name] for name in names]


def _free(folder: Path, name: str) -> Path:
    tried = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(path for path in (folder / one for one in tried) if not path.exists())
