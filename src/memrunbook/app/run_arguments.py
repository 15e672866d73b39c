"""What is asked of a run, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.record import Actor, AppliedPlan
from memrunbook.core.run.report import HostReport
from memrunbook.documents.library import Library, usual_library
from memrunbook.state.paths import usual_state_dir


@dataclass(frozen=True, kw_only=True)
class RunArguments:
    """A runbook by name or path, and its parameters as text; `watch` reads for so many seconds before it judges.

    `reason` and `command` (what was typed) are kept in the journal, and `options`, the words that say how the hosts are
    reached. `break_lock` takes over the lock of a dead run.
    `store` names another store than the environment, config.yaml or the state directory do.
    Without `history` no points of the first reading of each host are kept.
    `rollout` says in which batches its hosts are begun, and until when.
    `applied` and, by host, `approved` say what a run may do that carries out a saved plan; `people` approved that, and
    `plan` are the bytes of its file.
    `consents` is what was allowed beforehand: what of it nothing used is told at the end.
    `unblocks`: nobody is there to break the lock of a dead run that left nothing open: it is taken over.
    `waits`: nobody sits there; what a gate refuses waits for a person as long as an approval may take.
    `kept_as` is under whose name it waits, in place of that of an earlier run; without it it lies with the run.
    `asked` is who asked for it on the pages, where somebody did.
    `lock_patience` is for how many seconds the end of another run is waited for that is at work on a host.
    `distribute`: workers carry it out, each host by the run that `parts` names. `part_of` is the run that this is such
    a part of, `of_hosts` the number of all its hosts.
    """

    runbook: str
    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    reason: str = ""
    command: str = ""
    options: tuple[str, ...] = ()
    break_lock: bool = False
    actor: Actor = field(default_factory=this_actor)
    applied: AppliedPlan | None = None
    plan: bytes = b""
    approved: Mapping[str, ApprovedPlan] = field(default_factory=dict)
    people: int = 0
    consents: Consents = field(default_factory=Consents)
    rollout: Rollout = field(default_factory=Rollout)
    history: bool = True
    waits: bool = False
    kept_as: str = ""
    unblocks: bool = False
    lock_patience: float = 0.0
    asked: str = ""
    distribute: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    part_of: str = ""
    of_hosts: int = 0


@dataclass(frozen=True)
class RunResult:
    """The run's id and a report for each host, in their order; `saved` are the plans of hosts where a gate refused.

    `unused` are the consents that covered nothing, `unwritten` is why the retry file does not say how the run ended.
    `stopped`: a person asked to stop before each host had been begun; or, `alone`, there was nobody to begin them.
    `untold` says why somebody who is to be notified of its end may not be, a sentence each.
    """

    run_id: str
    reports: tuple[HostReport, ...]
    saved: Mapping[str, Path] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    unwritten: JournalError | None = None
    stopped: bool = False
    alone: bool = False
    untold: tuple[str, ...] = ()
