"""A small language for tests of the engine: three facts, one action that can be anything, and runbooks made of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from memrunbook.actions.shared.scripts import LOOK_ONLY
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
    Decision,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.action.moved import Moves
from memrunbook.core.action.policy import UNLISTED, UnitPolicy
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Sample, Unavailable
from memrunbook.core.reading.metric import Metric, catalogue
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Check, Guard, Proof, Runbook, Step
from memrunbook.core.runbook.condition import Condition, Expression, Scope
from memrunbook.core.runbook.spec import CheckSpec, GuardSpec, ResolvedSpec, RunbookSpec, Sampling, StepSpec, VerifySpec
from memrunbook.core.units import Duration, Size, Unit

Expressions = dict[str, Any]
MIB = 1 << 20


class Memory(Reading, frozen=True, kw_only=True):
    available_percent: Annotated[float | None, Doc("left", Unit.PERCENT, "/proc/meminfo")] = None
    available_bytes: Annotated[int | None, Doc("left", Unit.BYTES, "/proc/meminfo")] = None
    zones: Annotated[list[float] | None, Doc("per zone", Unit.RATIO)] = None


class Full(Struct, frozen=True):
    percent: Annotated[float | None, Doc("all stalled", Unit.PERCENT)] = None


class Pressure(Reading, frozen=True, kw_only=True):
    full: Full = Full()


class Service(Struct, frozen=True, kw_only=True):
    name: Annotated[str, Doc("its name")]
    main_pid: Annotated[int, Doc("its main process")] = 100
    bytes: Annotated[int | None, Doc("what it holds", Unit.BYTES)] = MIB
    failed: Annotated[bool, Doc("it failed")] = False
    policy: UnitPolicy = UNLISTED


class Units(Reading, frozen=True, kw_only=True):
    all: Annotated[tuple[Service, ...], Doc("services", Unit.COUNT)] = ()
    growing: Annotated[tuple[Service, ...], Doc("those that grow", Unit.COUNT)] = ()
    suspects: Annotated[tuple[Service, ...], Doc("those that may", Unit.COUNT)] = ()


class FailedUnits(Reading, frozen=True, kw_only=True):
    moved: Annotated[bool, Doc("a unit began or ended")] = False
    names: Annotated[list[str] | None, Doc("who failed")] = None


class Hold(Struct, frozen=True, kw_only=True):
    name: Annotated[str, Doc("its name")]
    action: Annotated[str, Doc("the action")] = ""
    kind: Annotated[str, Doc("frozen or changed")] = "frozen"
    what: Annotated[str, Doc("in words")] = ""
    ours: Annotated[bool, Doc("by us")] = True
    run: Annotated[str, Doc("the run")] = "R1"
    runbook: Annotated[str, Doc("its runbook")] = "lab"
    since_seconds: Annotated[float | None, Doc("since then", Unit.SECONDS)] = 72.0
    left_seconds: Annotated[float | None, Doc("until then", Unit.SECONDS)] = 228.0
    lost: Annotated[bool, Doc("nothing takes it back")] = False


class Holds(Reading, frozen=True, kw_only=True):
    all: Annotated[tuple[Hold, ...], Doc("what is held", Unit.COUNT)] = ()


def _fact(name: str, kind: type[Reading]) -> Fact:
    path = f"/lab/{name}"

    def parse(samples: Sequence[Sample], _: Any) -> Reading | Unavailable:
        answer = samples[-1].get(path)
        return answer.problem or msgspec.json.decode(answer.text, type=kind)

    return Fact(kind, parse, (Read(path, each=True),), meaning=f"the {name} of the lab")


FACTS = {"memory": _fact("memory", Memory), "pressure": _fact("pressure", Pressure), "units": _fact("units", Units)}
FACTS |= {"host": _fact("host", Memory), "vmstat": _fact("vmstat", Memory), "holds": _fact("holds", Holds)}
METRICS: dict[str, Metric] = catalogue(FACTS)


class Adjust(Action, frozen=True, kw_only=True):
    """Touches one service; whatever kind of change a test wants. A service that holds nothing needs nothing."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("units",)
    policy: ClassVar[str] = "restart"

    unit: str = "web"
    kind: Literal["read", "idempotent", "once"] = "idempotent"
    risk: int = 1
    undo: UndoMode | None = None
    goal: Size | None = None
    note: Annotated[Duration | None, msgspec.Meta(description="a duration behind two layers")] = None
    settle: float = 0.0
    proven: str = "true"
    back_after: float = 0.0
    evidence: bool = False

    def decide(self, snapshot: Snapshot) -> Decision:
        services = snapshot.value("units.all")
        if isinstance(services, Unavailable):
            return Blocked(f"units: {services.why}")
        found = next((service for service in services if service.name == self.unit), None)
        if found is None or not found.bytes:
            return NotNeeded(f"{self.unit} holds nothing")
        return self._change(found)

    def _change(self, service: Service) -> Change:
        return Change(
            action="adjust",
            summary=f"Adjust {self.unit}",
            target=self.unit,
            touches=self.unit,
            identity=f"{self.unit} {service.main_pid}",
            script="act",
            args=(self.unit, str(self.goal)),
            risk=Risk(self.risk),
            repeat=Repeat(self.kind),
            undo=Undo("back", "back", (self.unit,), self.undo) if self.undo else None,
            settle=self.settle,
            back_after=self.back_after,
            verify=Verify(self.proven) if self.proven else None,
            evidence=self.evidence,
        )


class Mover(Adjust, frozen=True, kw_only=True):
    """An adjustment that should leave more memory available."""

    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up", "pressure.full.percent": "down"}


class Knob(Adjust, frozen=True, kw_only=True):
    """An adjustment whose undo can look before it acts."""

    def _change(self, service: Service) -> Change:
        change = super()._change(service)
        if change.undo is None:
            return change
        return msgspec.structs.replace(change, undo=msgspec.structs.replace(change.undo, script=f"back\n{LOOK_ONLY}"))


class Tuner(Adjust, frozen=True, kw_only=True):
    """A change of the host as a whole, which no service is needed for."""

    needs: ClassVar[tuple[str, ...]] = ("host",)
    host_wide: ClassVar[bool] = True

    def decide(self, snapshot: Snapshot) -> Decision:
        del snapshot
        made = self._change(Service(name="host"))
        return msgspec.structs.replace(made, target="host", touches="", identity="host boot")


class Rigid(Action, frozen=True, kw_only=True):
    """Always the same harmless change: for what must not depend on a decision."""

    max_risk: ClassVar[Risk] = Risk.NONE
    repeat: ClassVar[Repeat] = Repeat.READ

    size: Size
    count: int = 1

    def decide(self, snapshot: Snapshot) -> Decision:
        del snapshot
        text = f"{self.size} {self.count}"
        return Change(action="rigid", summary=text, target=text, script="see", risk=Risk.NONE, repeat=Repeat.READ)


ACTIONS: dict[str, type[Action]] = {"adjust": Adjust, "mover": Mover, "knob": Knob, "tuner": Tuner, "rigid": Rigid}


@cache
def scope_of(checks: tuple[str, ...] = (), *, items: bool = False, step: bool = False) -> Scope:
    return Scope(METRICS, {"least": "double"}, checks, METRICS["units.all"] if items else None, step)


def condition(scope: Scope, *parts: str) -> Condition:
    return Condition(tuple(scope.compile(part, boolean=True) for part in parts))


def step(  # noqa: PLR0913  the parts of a step
    id_: str = "act",
    *,
    checks: tuple[str, ...] = ("short",),
    when: str = "",
    guard: str = "",
    for_each: str = "",
    key: str = "item.name",
    verify: VerifySpec | None = None,
    action: str = "adjust",
    values: dict[str, Any] | None = None,
    **spec: Any,
) -> Step:
    """A bound step; `values` that begin with "= " are expressions."""
    each = scope_of(checks).compile(for_each, boolean=False) if for_each else None
    scope = scope_of(checks, items=bool(each), step=True)
    return Step(
        spec=StepSpec(
            id=id_,
            name=id_.title(),
            action=action,
            when=when or None,
            guard=[GuardSpec(guard, "a guard")] if guard else [],
            for_each=for_each or None,
            key=key,
            verify=verify,
            **spec,
        ),
        action=ACTIONS[action],
        values={name: _value(scope, value) for name, value in (values or {}).items()},
        when=condition(scope, when) if when else None,
        guards=(Guard(condition(scope, guard), "a guard"),) if guard else (),
        for_each=each,
        key=scope.compile(key, boolean=False) if each else None,
        verify=Proof(condition(scope, str(verify.that)), verify.within, verify.hold) if verify else None,
        scope=scope,
    )


def _value(scope: Scope, value: Any) -> Any | Expression:
    return scope.compile(value[2:], boolean=False) if isinstance(value, str) and value.startswith("= ") else value


def runbook(  # noqa: PLR0913  the parts of a runbook
    *steps: Step,
    short: str = "memory.available_percent < 10.0",
    incident: str = "checks.short",
    resolved: str = "",
    hold: float = 0.0,
    count: int = 3,
    every: float = 5.0,
    signals: Sequence[str] = ("memory.available_percent",),
    **spec: Any,
) -> Runbook:
    """A bound runbook with the one check `short`."""
    scope, inside = scope_of(("short",)), scope_of(("short",), step=True)
    check = CheckSpec("short", "Memory is short", short, "critical")
    return Runbook(
        spec=RunbookSpec(
            apiVersion="memrunbook/v1",
            name="lab",
            title="Lab",
            sample=Sampling(count, Duration(every)),
            signals=list(signals),
            checks=[check],
            incident=incident,
            resolved=ResolvedSpec(resolved, Duration(hold)) if resolved else None,
            steps=[one.spec for one in steps],
            **spec,
        ),
        origin="test",
        digest="d" * 64,
        metrics=METRICS,
        parameters={"least": 10.0},
        checks=(Check(check, condition(scope_of(), short)),),
        incident=condition(scope, incident),
        resolved=condition(inside, resolved) if resolved else None,
        hold=hold,
        causes=(),
        steps=steps,
    )


def snapshot(at: float = 0.0, **readings: Reading | Unavailable) -> Snapshot:
    """A snapshot that was taken at so many seconds."""
    identity = HostIdentity(address="lab", boot_id="boot")
    return Snapshot("lab", identity, Instant(1_700_000_000.0 + at, at), dict(readings), samples=2, span=5.0)


def sample(readings: dict[str, Reading | Unavailable]) -> Sample:
    """What a host with these readings answers to a probe."""
    answers = {
        f"/lab/{name}": Answer(problem=value) if isinstance(value, Unavailable) else Answer(_json(value))
        for name, value in readings.items()
    }
    return Sample(1.0, 1.1, answers)


def _json(reading: Reading) -> str:
    return msgspec.json.encode(reading).decode() + "\n"


def services(*names: str, **fields: Any) -> Units:
    return Units(all=tuple(Service(name=name, **fields) for name in names))
