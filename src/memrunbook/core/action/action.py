"""An action: what it would change on a host, decided on a snapshot and never done here.

An action is one file in `actions/` that defines one subclass of `Action`. Its YAML word is the file's name; its fields
are the YAML parameters.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypedDict, Unpack

import msgspec
from msgspec import Struct

from memrunbook.core.action.moved import Moves
from memrunbook.core.action.policy import Care
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import format_duration

UndoMode = Literal["auto", "offer", "none"]
IN_ARGUMENTS = "arguments:"
"""Of `Change.acts_on`: what it acts on is named in its arguments, a command line. They are not repeated: secrets."""
Leaves = Literal["", "down", "up", "anew", "running"]
"""How a change leaves the service that it touches: "" for no service; stopped or frozen; up again; in a new run; as
before, with other limits. It says when the service is drained, and whether its health is part of the proof."""
Concerns = Literal["", "adds swap", "gives up huge pages"]
"""What a change is about that some kinds of hosts do not bear."""


class Risk(enum.IntEnum):
    """What may be lost: nothing, performance, a moment of service, data or the service itself. It sets the gate."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """The word that documents and people use."""
        return self.name.lower()


class Repeat(enum.Enum):
    """How often a change may be repeated: freely, after a re-check, or never by the engine."""

    READ = "read"
    IDEMPOTENT = "idempotent"
    ONCE = "once"


class Undo(Struct, frozen=True):
    """How a change is taken back: a constant script and its parameters; it refuses where the value is not ours.

    `costs` says what taking back may cost. `lasting` marks what outlives a reboot: all else a reboot takes back.
    """

    summary: str
    script: str
    args: tuple[str, ...] = ()
    mode: UndoMode = "auto"
    costs: str = ""
    lasting: bool = False


class Verify(Struct, frozen=True):
    """What proves a change: a condition (CEL) that holds for `hold` seconds within `within` seconds."""

    that: str
    within: float = 30.0
    hold: float = 0.0


class Change(Struct, frozen=True, kw_only=True):
    """A change that an action proposes.

    `script` is a constant of POSIX sh, `args` its positional parameters ($1 …): nothing is spliced into shell text.
    `target` names what is touched in words a person would type; `identity` tells it from a later one with the same
    name (unit + MainPID + start time + boot-id). `settle` and `back_after` are seconds. A script that may block for
    long runs in a child of the session's shell. `timeout` bounds it. `acts_on` is what it hits beside `touches`, as
    KIND:NAME (unit, process, container), or IN_ARGUMENTS. `care` is what `services.yaml` asks for around it.
    """

    action: str
    summary: str
    target: str
    script: str
    identity: str = ""
    args: tuple[str, ...] = ()
    risk: Risk
    repeat: Repeat = msgspec.field(name="effect")  # its name in journals and plans since the first of them
    undo: Undo | None = None
    costs: str = ""
    settle: float = 0.0
    verify: Verify | None = None
    back_after: float = 0.0
    timeout: float = 30.0
    touches: str = ""
    command: str = ""
    evidence: bool = False
    acts_on: tuple[str, ...] = ()
    care: Care | None = None

    @property
    def digest(self) -> str:
        """What an approval is for: action, target, identity, parameters, script, care; never a measured input."""
        parts = [
            self.action,
            self.target,
            self.identity,
            self.script,
            *self.args,
            str(self.back_after),
            str(int(self.risk)),
        ]
        if self.care is not None:
            parts.append(msgspec.json.encode(self.care).decode())
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


class Details(TypedDict, total=False):
    """What a change may say beside what each must; as in `Change`."""

    identity: str
    args: tuple[str, ...]
    costs: str
    settle: float
    verify: Verify
    timeout: float
    touches: str
    evidence: bool
    acts_on: tuple[str, ...]


class NotNeeded(Struct, frozen=True):
    """The host is already as the action would make it."""

    why: str


class Blocked(Struct, frozen=True):
    """The action may not or cannot run; `why` says by what, `hint` how to unblock.

    `rule`: a rule says no (safety, services.yaml, a line of config.yaml), whatever the facts say: that is a refusal.
    """

    why: str
    hint: str = ""
    rule: bool = False


Decision = Change | NotNeeded | Blocked


class Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One remediation. `decide` is pure; a missing fact makes it `Blocked`, never a guess.

    What is said here of the class holds for every change that it proposes; `change` sees to that.
    `moves` names the metrics that it should move and where to: none of them moved is said. None: the runbook's signals.
    One that does not `proves_itself` needs a `verify` in the runbook.
    `only_target` is the target of every change of it, where it has none to choose.
    `renews` says that its success gives the target another `identity`: by that it is seen whether it happened.
    `leaves` and `concerns` say what rules of safety and `services.yaml` go by.
    `host_wide`: it is about the host as a whole, never about a service, process or container.
    `example` is a step with it as a runbook's YAML has it, where the list of its parameters does not tell enough.
    """

    max_risk: ClassVar[Risk]
    repeat: ClassVar[Repeat]
    needs: ClassVar[tuple[str, ...]] = ()
    undo_mode: ClassVar[UndoMode] = "none"
    policy: ClassVar[str] = ""
    moves: ClassVar[Moves | None] = None
    proves_itself: ClassVar[bool] = True
    renews: ClassVar[bool] = False
    only_target: ClassVar[str] = ""
    leaves: ClassVar[Leaves] = ""
    concerns: ClassVar[Concerns] = ""
    host_wide: ClassVar[bool] = False
    example: ClassVar[str] = ""

    @classmethod
    def reads(cls, _given: Mapping[str, Any]) -> tuple[str, ...]:
        """The facts that it is decided on with these parameters, at most `needs`; a computed one is no plain value."""
        return cls.needs

    def decide(self, snapshot: Snapshot) -> Decision:
        """What this action would do on the host of this snapshot."""
        raise NotImplementedError

    @property
    def word(self) -> str:
        """What a runbook calls it: the name of its file."""
        return type(self).__module__.rpartition(".")[2]

    def change(  # noqa: PLR0913  the parts of a change
        self,
        *,
        summary: str,
        target: str,
        script: str,
        command: str,
        risk: Risk | None = None,
        undo: Undo | None = None,
        back_after: float | None = None,
        **details: Unpack[Details],
    ) -> Change:
        """The change of this action, with the word, the repeat class and the undo mode that are its class's.

        `risk` is the highest that it allows unless a lower one is given. An undo that says "offer" stays so where the
        class says "auto". With `back_after` (seconds) the summary ends by saying when the change goes away by itself.
        Raises ValueError for what the class does not allow.
        """
        if risk is not None and risk > self.max_risk:
            raise ValueError(f"{self.word}: risk {risk.word} is above {self.max_risk.word}, its highest")
        if undo is not None and self.undo_mode == "none":
            raise ValueError(f"{self.word}: it has an undo, and its undo mode is none")
        if undo is not None and undo.mode == "auto":
            undo = msgspec.structs.replace(undo, mode=self.undo_mode)
        back = f", back after {format_duration(back_after)}" if back_after else ""
        return Change(
            action=self.word,
            summary=f"{summary}{back}",
            target=target,
            script=script,
            command=command,
            risk=self.max_risk if risk is None else risk,
            repeat=self.repeat,
            undo=undo,
            back_after=back_after or 0.0,
            **details,
        )
