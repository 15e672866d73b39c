"""What the journal holds: one envelope for each thing that is written, decoded into exactly the values that were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.plan.approval import who_signed
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.event import Event, Outcome
from memrunbook.core.run.request import Request, Told
from memrunbook.core.units import encode

EVENT = "event"


class Actor(Struct, frozen=True):
    """Who does it, as far as the control node knows; `login_user` is who logged in, whoever that became since."""

    user: str
    uid: str = ""
    sudo_user: str = ""
    ssh_client: str = ""
    tty: str = ""
    control_node: str = ""
    login_user: str = ""


class Context(Struct, frozen=True, kw_only=True):
    """What every record of a host's journal says beside its envelope, so that it can be read alone.

    `time` is UTC as ISO 8601, `monotonic` in seconds. `invocation` stands in the first record that a command writes:
    the hash of the last record of the run's own journal then. So who asked, why, and who approved stands in both.
    """

    time: str
    monotonic: float
    run: str
    actor: Actor
    engine: str
    runbook: str
    runbook_digest: str
    host: str
    identity: HostIdentity = HostIdentity()
    invocation: str | UnsetType = UNSET


KeyKind = Literal["", "SSH key", "security key", "passkey"]
"""What an approval was signed with; empty where the signature does not tell."""
ApprovalVerdict = Literal["counted", "unvouched", "not-counted", "faulty"]
"""It counted; nobody vouched for whose key it was; it did not count; its signature did not hold."""


class KeptApproval(Struct, frozen=True, kw_only=True):
    """An approval as it was given, and what it came to (`judged`, and `why` not) when the plan was applied.

    `signature` (SSHSIG, armoured) is over the bytes of the plan's file, which the run's directory keeps. `key` is the
    fingerprint of the key that made it, `time` (UTC) what whoever signed says.
    """

    principal: str
    key: str
    kind: KeyKind
    time: str
    signature: str
    judged: ApprovalVerdict
    why: str = ""

    @property
    def told(self) -> str:
        """Name and key, for people."""
        return who_signed(self.principal, self.key, self.kind)


class AppliedPlan(Struct, frozen=True):
    """The saved plan that a run carries out: its file and that file's SHA-256, who made it, and who approved it.

    `uncounted` are the approvals that count for nobody, each with the reason. `signatures` are all of them as they were
    given; null where an earlier version kept none.
    """

    file: str
    digest: str
    creator: str
    approvals: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()
    signatures: tuple[KeptApproval, ...] | None = None


class Order(Struct, frozen=True, kw_only=True):
    """What was ordered, in the words that it was ordered with: enough to go on with it after a crash.

    `runbook` is a name or an absolute path, `options` are the words that say how the hosts are reached.
    """

    runbook: str
    hosts: tuple[Host, ...]
    parameters: dict[str, str] = {}
    watch: float | None = None
    options: tuple[str, ...] = ()
    rollout: Rollout = Rollout()


class Invoked(Struct, frozen=True, kw_only=True, tag_field=EVENT, tag="invoked"):
    """A run begins: who asked for what, why, on which hosts. The first record of a run's own journal.

    `asked` is who asked for it on the pages, where that is on record there; the actor is whose process does it.
    `parts` are, by host, the runs that carry it out where workers do; `part_of` is the run that such a one is part of.
    """

    time: str
    engine: str
    actor: Actor
    command: str
    reason: str
    runbook: str
    runbook_digest: str
    origin: str
    parameters: dict[str, str]
    hosts: tuple[str, ...]
    applied: AppliedPlan | None = None
    order: Order | None = None
    asked: str = ""
    parts: dict[str, str] = {}
    part_of: str = ""


class Resumed(Struct, frozen=True, kw_only=True, tag_field=EVENT, tag="resumed"):
    """An interrupted run goes on: who asked for that, and how. In a run's own journal.

    `applied` is the saved plan that it carries out, with its approvals as they were judged then.
    """

    time: str
    engine: str
    actor: Actor
    command: str
    reason: str = ""
    applied: AppliedPlan | None = None


class Asked(Struct, frozen=True, tag_field=EVENT, tag="asked"):
    """A question, on the disk before it is carried out."""

    request: Request


class Answered(Struct, frozen=True, tag_field=EVENT, tag="answered"):
    """The answer to the question before it, complete: what the run was told."""

    answer: Told


class NotAnswered(Struct, frozen=True, tag_field=EVENT, tag="error"):
    """The question before it ended with an error, by the name of its class."""

    error: str
    message: str
    hint: str = ""


class Recorded(Struct, frozen=True, tag_field=EVENT, tag="recorded"):
    """The run remembers something."""

    record: Event


class Temporary(Struct, frozen=True):
    """What a step changed for a while: the host itself takes it back at `until`, in seconds since 1970."""

    step: str
    what: str
    until: float


class EndedHost(Struct, frozen=True):
    """How a run ended on one host; `machine_id` is empty where it was never read.

    `settled` are the hashes of the questions, of whatever run, whose open end was found out here. `undone` are the
    steps of another run that this one took back. `node` is the control node that did it, where that was another one.
    """

    host: str
    outcome: Outcome
    machine_id: str = ""
    settled: tuple[str, ...] = ()
    temporary: tuple[Temporary, ...] = ()
    undone: tuple[str, ...] = ()
    node: str = ""


class Ended(Struct, frozen=True, kw_only=True, tag_field=EVENT, tag="ended"):
    """A run is over. The last record of a run's own journal. `unused` is what was allowed and covered nothing.

    `stopped`: a person asked to stop before each host had been begun, or there was nobody to begin them. `elsewhere`:
    the control node on which the run was gone on with, and came to this end; its journal there says what was done.
    """

    time: str
    hosts: tuple[EndedHost, ...]
    unused: tuple[str, ...] = ()
    stopped: bool = False
    elsewhere: str = ""


Envelope = Invoked | Resumed | Asked | Answered | NotAnswered | Recorded | Ended


def plain(envelope: Envelope) -> dict[str, Any]:
    """An envelope as JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(envelope, enc_hook=encode)
    return found


def decode(record: Mapping[str, Any], readings: Mapping[str, type[Reading]]) -> Envelope:
    """The envelope of a record; `readings` are the types of the facts by name.

    Raises msgspec.ValidationError for what is no record, or one that this version does not know.
    """
    answer = record.get("answer")
    if not isinstance(answer, dict) or answer.get("type") != Snapshot.__name__:
        found: Envelope = msgspec.convert(record, Envelope)
        return found
    envelope = msgspec.convert({**record, "answer": {**answer, "readings": {}}}, Answered)
    said = readings_of(dict(answer.get("readings", {})), readings)
    return Answered(msgspec.structs.replace(envelope.answer, readings=said))


def readings_of(said: Mapping[str, Any], readings: Mapping[str, type[Reading]]) -> dict[str, Reading | Unavailable]:
    """The readings that plain values stand for, by the types of the facts; msgspec.ValidationError for what is none."""
    return {name: _reading(name, value, readings) for name, value in said.items()}


def _reading(name: str, value: Any, readings: Mapping[str, type[Reading]]) -> Reading | Unavailable:
    if isinstance(value, dict) and value.get("type") == Unavailable.__name__:
        return msgspec.convert(value, Unavailable)
    if name not in readings:
        raise msgspec.ValidationError(f"there is no fact {name!r}")
    return msgspec.convert(value, readings[name])
