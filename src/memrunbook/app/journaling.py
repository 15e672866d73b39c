"""Gives every record of a host's journal what makes it readable alone: when, which run, who, where, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from msgspec import UNSET

from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.record import Actor, Answered, Asked, Context, Envelope, NotAnswered, plain
from memrunbook.core.run.request import AskApproval, Execute, ReadFacts, Request, Wait
from memrunbook.runtime.ports import Clock
from memrunbook.state.forwarding import forward_change
from memrunbook.state.journal import RunJournal
from memrunbook.state.run_directory import RunDirectory
from memrunbook.version import __version__


class Titled(Protocol):
    """A runbook as records name it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def digest(self) -> str:
        """The SHA-256 of its file, in hex."""


@dataclass
class HostJournal:
    """The journal port of one host's run; `copy` is handed each record that was written."""

    directory: RunDirectory
    journal: RunJournal
    host: str
    runbook: Titled
    actor: Actor
    clock: Clock
    copy: Callable[[dict[str, Any]], None]
    identity: HostIdentity = field(default_factory=HostIdentity)
    _asked: Request | None = field(default=None, init=False)
    _begun: bool = field(default=False, init=False)
    _executing: bool = field(default=False, init=False)

    def append(self, envelope: Envelope) -> str:
        """Writes one record and returns its hash: on the disk, but for what changes nothing if it is lost.

        Where the power of this machine is cut, the newest readings and waits may be missing, and a gate without its
        answer: they are on the disk before the next command, answer of a person or end of a step is.
        What asks for a command is in the ledger too before it is carried out, and its answer before the run goes on:
        of a run that is cut off nobody can change what it did, or leave it out. A store that is a server knows that too
        before anything is begun, or it is not begun; what takes back a change is not held up by it.
        """
        now = self.clock.now()
        context = Context(
            time=now.isoformat(),
            monotonic=now.monotonic,
            run=self.directory.run_id,
            actor=self.actor,
            engine=__version__,
            runbook=self.runbook.name,
            runbook_digest=self.runbook.digest,
            host=self.host,
            identity=self.identity,
            invocation=UNSET if self._begun else self.directory.run.link.head,
        )
        if isinstance(envelope, Answered) and isinstance(envelope.answer, Snapshot):
            self.identity = envelope.answer.identity
        record = {**msgspec.to_builtins(context), **plain(envelope)}
        asked = envelope.request if isinstance(envelope, Asked) else self._asked
        changes_nothing = isinstance(envelope, Asked | Answered | NotAnswered) and isinstance(asked, ReadFacts | Wait)
        at_gate = isinstance(envelope, Asked) and isinstance(asked, AskApproval)
        digest = self.journal.append(record, durable=not (changes_nothing or at_gate))
        self._asked, self._begun = asked, True
        forward_change(record, digest)
        begun = asked if isinstance(envelope, Asked) and isinstance(asked, Execute) else None
        if begun or self._executing:
            self.directory.seal(self.host, demanded=begun is not None and not begun.undo)
        self._executing = begun is not None
        self.copy({**record, "hash": digest})
        return digest

    def save(self, name: str, text: str) -> tuple[str, str]:
        """Keeps evidence beside the journal; its full path and SHA-256."""
        path, digest = self.directory.save(self.host, name, text)
        return str(self.directory.path / path), digest
