"""The service policy: what a rule may do to a service without a person naming it."""

from __future__ import annotations

import fnmatch
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import MINUTE, Duration, Size, Unit, format_duration
from memrunbook.core.window import ServiceWindow

Permission = Literal["yes", "no", "unlisted"]
Kind = Literal["service", "batch", "database", "cluster"]
MAY = ("restart", "freeze", "stop", "limit")
GUARDED: tuple[Kind, ...] = ("cluster", "database")
"""Kinds that no rule ever chooses, the more guarded one first."""
CommandWords = Annotated[
    tuple[Annotated[str, Meta(min_length=1)], ...],
    Meta(min_length=1, description="a program and its arguments, one by one; no shell reads them"),
]
HEALTH_WITHIN, DRAIN_WITHIN = 2.0 * MINUTE, 5.0 * MINUTE
SOURCE = "services.yaml"


class Care(Struct, frozen=True, kw_only=True):
    """What is done around a change of a service, and on how many hosts at once; commands are words, times seconds."""

    health: Annotated[tuple[str, ...], Doc("what says that it serves: exit status 0", source=SOURCE)] = ()
    health_within: Annotated[float, Doc("how long its health is waited for", Unit.SECONDS, SOURCE)] = HEALTH_WITHIN
    drain: Annotated[tuple[str, ...], Doc("what takes it out of service before a change", source=SOURCE)] = ()
    drain_within: Annotated[float, Doc("how long drain and undrain may take", Unit.SECONDS, SOURCE)] = DRAIN_WITHIN
    undrain: Annotated[tuple[str, ...], Doc("what puts it back into service", source=SOURCE)] = ()
    max_parallel: Annotated[int, Doc("on how many hosts it may be disturbed at once", Unit.COUNT, SOURCE)] = 1
    peers: Annotated[tuple[str, ...], Doc("hosts of which one at most may be disturbed", source=SOURCE)] = ()


class UnitPolicy(Struct, frozen=True, kw_only=True):
    """What `services.yaml` says of one unit; "unlisted" where it says nothing."""

    restart: Annotated[str, Doc('may a rule restart it: "yes", "no" or "unlisted"', source="services.yaml")] = (
        "unlisted"
    )
    freeze: Annotated[str, Doc('may a rule freeze it: "yes", "no" or "unlisted"', source="services.yaml")] = "unlisted"
    stop: Annotated[str, Doc('may a rule stop it: "yes", "no" or "unlisted"', source="services.yaml")] = "unlisted"
    limit: Annotated[str, Doc('may a rule limit it: "yes", "no" or "unlisted"', source="services.yaml")] = "unlisted"
    kind: Annotated[str, Doc("service, batch, database or cluster", source="services.yaml")] = "service"
    memory_high_bytes: Annotated[
        int, Doc("MemoryHigh that a rule may set, 0 for none", Unit.BYTES, "services.yaml")
    ] = 0
    memory_max_bytes: Annotated[int, Doc("MemoryMax that a rule may set, 0 for none", Unit.BYTES, "services.yaml")] = 0
    swap_max_bytes: Annotated[
        int, Doc("MemorySwapMax that a rule may set, 0 for none", Unit.BYTES, "services.yaml")
    ] = 0
    window: Annotated[
        str, Doc('when it may be restarted as planned, as in "sun 02:00-04:00 UTC"; empty: unlisted', source=SOURCE)
    ] = ""
    in_window: Annotated[bool, Doc("that window is open", source=SOURCE)] = False
    window_opens_seconds: Annotated[
        float, Doc("until that window opens, or opens again; 0 where there is none", Unit.SECONDS, SOURCE)
    ] = 0.0
    care: Care | None = None


UNLISTED = UnitPolicy()


class ServiceRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `services.yaml`: a unit or a shell pattern, and what may be done to it."""

    unit: Annotated[
        str, Meta(description="a unit by its whole name, or a shell pattern; the first that matches counts")
    ]
    restart: Annotated[Permission, Meta(description="may a rule restart it; unlisted: a person names it")] = "unlisted"
    freeze: Annotated[Permission, Meta(description="may a rule freeze it; unlisted: a person names it")] = "unlisted"
    stop: Annotated[Permission, Meta(description="may a rule stop it; unlisted: a person names it")] = "unlisted"
    limit: Annotated[Permission, Meta(description="may a rule limit it; unlisted: a person names it")] = "unlisted"
    kind: Annotated[
        Kind, Meta(description="what it is; no rule chooses a database, and nothing touches what a cluster runs")
    ] = "service"
    window: Annotated[
        ServiceWindow | None, Meta(description="when it may be restarted as planned; never where it is left out")
    ] = None
    memory_high: Annotated[
        Size | None, Meta(description="MemoryHigh that a rule may set; none where it is left out")
    ] = None
    memory_max: Annotated[Size | None, Meta(description="MemoryMax that a rule may set; none where it is left out")] = (
        None
    )
    swap_max: Annotated[
        Size | None, Meta(description="MemorySwapMax that a rule may set; none where it is left out")
    ] = None
    health: Annotated[
        CommandWords | None, Meta(description="a program and its arguments: exit status 0 says that it serves")
    ] = None
    health_within: Annotated[
        Duration | None,
        Meta(description=f"how long its health is waited for; {format_duration(HEALTH_WITHIN)} where it is left out"),
    ] = None
    drain: Annotated[
        CommandWords | None, Meta(description="a program that takes it out of service before a change")
    ] = None
    drain_within: Annotated[
        Duration | None,
        Meta(
            description=f"how long drain, and undrain, may take; {format_duration(DRAIN_WITHIN)} where it is left out"
        ),
    ] = None
    undrain: Annotated[CommandWords | None, Meta(description="a program that puts it back into service")] = None
    max_parallel: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="on how many hosts it may be disturbed at once; 1 where it is left out"),
    ] = None
    peers: Annotated[tuple[str, ...], Meta(description="hosts, by name or pattern: one of them at a time")] = ()

    @property
    def care(self) -> Care | None:
        """What is done around a change of it; None where the entry asks for nothing of that kind."""
        said = {name: getattr(self, name) for name in Care.__struct_fields__ if getattr(self, name)}
        times = {name: float(value) for name, value in said.items() if isinstance(value, Duration)}
        return Care(**{**said, **times}) if said else None


class ServicePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """All rules in order; the first that matches a unit counts."""

    services: Annotated[tuple[ServiceRule, ...], Meta(description="a rule for each unit or pattern, in order")] = ()

    def rule(self, unit: str) -> ServiceRule | None:
        """The rule for a unit, None where it is unlisted."""
        return next((rule for rule in self.services if fnmatch.fnmatchcase(unit, rule.unit)), None)

    def unit(self, name: str, now: float) -> UnitPolicy:
        """The policy of a unit at a moment (seconds since 1970)."""
        rule = self.rule(name)
        if rule is None:
            return UNLISTED
        stands = None if rule.window is None else rule.window.at(now)
        return UnitPolicy(
            restart=rule.restart,
            freeze=rule.freeze,
            stop=rule.stop,
            limit=rule.limit,
            kind=rule.kind,
            memory_high_bytes=rule.memory_high or 0,
            memory_max_bytes=rule.memory_max or 0,
            swap_max_bytes=rule.swap_max or 0,
            window="" if rule.window is None else str(rule.window),
            in_window=stands is not None and stands.is_open,
            window_opens_seconds=0.0 if stands is None else stands.opens_in,
            care=rule.care,
        )


class JoinedPolicy(ServicePolicy, frozen=True):
    """Two service policies, of which the stricter word counts: the one that `binds` everybody, and one's own."""

    binds: ServicePolicy = ServicePolicy()
    own: ServicePolicy = ServicePolicy()

    def rule(self, unit: str) -> ServiceRule | None:
        """What both say of a unit; None where neither does."""
        binding, own = self.binds.rule(unit), self.own.rule(unit)
        return (own if binding is None else binding) if binding is None or own is None else _stricter(binding, own)


def joined_policy(binds: ServicePolicy, own: ServicePolicy) -> ServicePolicy:
    """Both policies as one: a "no" of either stands, and what the first says of a service is not replaced."""
    return JoinedPolicy((*binds.services, *own.services), binds, own)


def _stricter(binding: ServiceRule, own: ServiceRule) -> ServiceRule:
    """What the binding rule leaves open is filled in by one's own, and a "no" of that counts too."""
    kinds = (binding.kind, own.kind)
    kind = next((one for one in (*GUARDED, "batch") if one in kinds), "service")
    said = {key: _permission(getattr(binding, key), getattr(own, key), kind) for key in MAY}
    sizes = {key: _first(getattr(binding, key), getattr(own, key)) for key in ("memory_high", "memory_max", "swap_max")}
    healing, draining = (binding if getattr(binding, key) else own for key in ("health", "drain"))
    most = [one.max_parallel for one in (binding, own) if one.max_parallel is not None]
    return structs.replace(
        own,
        kind=kind,
        **said,
        **sizes,
        window=own.window if binding.window is None else binding.window,
        health=healing.health,
        health_within=healing.health_within,
        drain=draining.drain,
        drain_within=draining.drain_within,
        undrain=draining.undrain,
        max_parallel=min(most, default=None),
        peers=tuple(dict.fromkeys((*binding.peers, *own.peers))),
    )


def _permission(binding: Permission, own: Permission, kind: str) -> Permission:
    said: Permission = "no" if "no" in (binding, own) else binding if own == "unlisted" else own
    return "unlisted" if said == "yes" and kind in GUARDED else said


def _first(binding: Size | None, own: Size | None) -> Size | None:
    return own if binding is None else binding
