"""Reads `config.yaml`: what an organisation asks of everybody who uses the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.host import Host
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.plan.limits import Limits
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.reading.rules import TargetKind, Untouchable
from memrunbook.documents.alert_rules import AlertRule, alert_rules
from memrunbook.documents.config_spec import ConfigSpec, DefaultsSpec
from memrunbook.documents.freezes import windows
from memrunbook.documents.named_files import FilesNamed
from memrunbook.documents.notifying import receivers_of
from memrunbook.documents.owned import read_owned
from memrunbook.documents.problems import convert
from memrunbook.documents.remembered import (
    StoreAt,
    history_of,
    limits_of,
    log_place,
    store_at,
)
from memrunbook.documents.rollouts import numbers
from memrunbook.documents.serving import Serving, serving_of
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load
from memrunbook.receivers import AnyReceiver

DAY = 86_400.0
KINDS: tuple[TargetKind, ...] = ("unit", "process", "container")
REASON: Mapping[str, Risk | None] = {
    "optional": None, "required": Risk.NONE, "low": Risk.LOW, "medium": Risk.MEDIUM, "high": Risk.HIGH,
}  # fmt: skip
NOTHING_AT_ALL = "to have nothing changed anywhere: maximum_risk: [{risk: none}], or for a while: runbook off"


@dataclass(frozen=True)
class Defaults:
    """Options for whoever does not give them; None and empty: as without config.yaml. `patience` is in seconds."""

    user: str = ""
    port: int = 0
    identity: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    sudo: str | None = None
    forks: int | None = None
    patience: float | None = None
    serial: tuple[str, ...] = ()
    max_failures: str = ""
    inventory: tuple[str, ...] = ()
    skip_vault_files: bool = False


@dataclass(frozen=True)
class HostsUntouchable:
    """Something that nothing may ever act on, on hosts of a pattern, in groups of patterns (empty: whatever group)."""

    hosts: str
    rule: Untouchable
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaximumRisk:
    """The highest risk that is done on hosts of a pattern, in groups, named with a tag (empty: any), in some modes."""

    risk: Risk
    hosts: str
    tag: str
    modes: frozenset[str]
    where: str
    why: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """What config.yaml says; without one nothing is asked. `deadline` is in seconds.

    A key counts where each of the files `allowed_signers` lists it, and none of `revoked_keys`. `said` are the keys
    that the file has, with those of its `limits` and `serve` as "limits.NAME". `reason_from` is the risk from which a
    --reason is needed (None: never), `reason_where` the line that says so. `hosts` are what the inventory says now.
    `history` is how long readings are kept, None for not at all.
    """

    approvals: tuple[ApprovalRule, ...] = ()
    allowed_signers: tuple[Path, ...] = ()
    revoked_keys: tuple[Path, ...] = ()
    deadline: float = DAY
    defaults: Defaults = Defaults()
    untouchable: tuple[HostsUntouchable, ...] = ()
    maximum_risk: tuple[MaximumRisk, ...] = ()
    freeze: tuple[FreezeWindow, ...] = ()
    reason_from: Risk | None = None
    reason_where: str = ""
    store: StoreAt = field(default_factory=StoreAt)
    forward: str = ""
    limits: Limits = field(default_factory=Limits)
    history: Keeping | None = field(default_factory=Keeping)
    notify: tuple[AnyReceiver, ...] = ()
    alerts: tuple[AlertRule, ...] = ()
    serve: Serving = field(default_factory=Serving)
    said: frozenset[str] = field(default=frozenset(), compare=False)
    hosts: Mapping[str, Host] = field(default_factory=dict)


def load_config(path: Path) -> Config:
    """The configuration in a file; DocumentError with every problem and its place."""
    source = load(read_owned(path), str(path))
    spec = convert(source, source.data, ConfigSpec)
    problems = [*_unsigned(source, spec), *_too_wide(source, spec)]
    files = FilesNamed(source, path.parent, problems)
    found = Config(
        approvals=spec.approvals,
        allowed_signers=files.one("allowed_signers"),
        revoked_keys=files.one("revoked_keys"),
        deadline=DAY if spec.deadline is None else float(spec.deadline),
        defaults=_defaults(spec.defaults, files),
        untouchable=tuple(_untouchable(source, spec)),
        maximum_risk=tuple(_maximum_risks(source, spec)),
        freeze=windows(source, spec.freeze, problems),
        reason_from=REASON[spec.reason],
        reason_where=source.line(("reason",)) if "reason" in source.data else "",
        store=store_at(source, path.parent, spec.store),
        forward=log_place(source, spec.forward),
        limits=limits_of(source, spec.limits),
        history=history_of(source, spec.history),
        notify=receivers_of(source, path.parent, spec.notify, problems),
        alerts=alert_rules(source, spec.alerts, files.source_path, problems),
        serve=serving_of(source, spec.serve, files),
        said=frozenset((*source.data, *_said_in(source, "limits"), *_said_in(source, "serve"))),
    )
    if problems:
        raise DocumentError(sorted(problems, key=_place))
    return found


def _said_in(source: Source, part: str) -> Iterator[str]:
    return (f"{part}.{name}" for name in source.data.get(part) or {})


def _place(problem: Problem) -> tuple[int, int]:
    _, line, column = problem.where.rsplit(":", 2)
    return int(line), int(column)


def _unsigned(source: Source, spec: ConfigSpec) -> Iterator[Problem]:
    if spec.approvals and spec.allowed_signers is None:
        hint = "allowed_signers: FILE, in the format of ssh-keygen(1): whose keys count"
        where = source.where_key(("approvals",))
        yield Problem(where, "approvals are asked for, and nobody is allowed to give one", hint)


def _too_wide(source: Source, spec: ConfigSpec) -> Iterator[Problem]:
    """Entries that say nothing, or of which nobody can have meant all that they forbid."""
    for number, one in enumerate(spec.untouchable):
        named = [kind for kind in KINDS if getattr(one, kind) is not None]
        at = source.where(("untouchable", number))
        if len(named) > 1:
            yield Problem(at, f"this names {' and '.join(named)} at once", "write an entry for each")
        elif not named and _everything(one.hosts) and not one.groups:
            yield Problem(at, "this forbids every change on every host", NOTHING_AT_ALL)
        elif named and _everything(getattr(one, named[0])):
            what = f"this pattern is every {named[0]}"
            hint = "name what is meant; whole hosts: hosts: PATTERN alone"
            yield Problem(source.where(("untouchable", number, named[0])), what, hint)


def _everything(pattern: str) -> bool:
    return not pattern.strip("*")


def _untouchable(source: Source, spec: ConfigSpec) -> Iterator[HostsUntouchable]:
    for number, one in enumerate(spec.untouchable):
        where = source.line(("untouchable", number))
        kind: TargetKind = next((kind for kind in KINDS if getattr(one, kind) is not None), "host")
        pattern = one.hosts if kind == "host" else getattr(one, kind)
        rule = Untouchable(kind=kind, pattern=pattern, where=where, why=one.why)
        yield HostsUntouchable(one.hosts, rule, some(one.groups))


def _maximum_risks(source: Source, spec: ConfigSpec) -> Iterator[MaximumRisk]:
    for number, one in enumerate(spec.maximum_risk):
        where = source.line(("maximum_risk", number))
        risk = Risk[one.risk.upper()]
        yield MaximumRisk(risk, one.hosts, one.tag or "", frozenset(one.modes), where, one.why, some(one.groups))


def some(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One word, several, or none."""
    return (given,) if isinstance(given, str) else given or ()


def _defaults(spec: DefaultsSpec, files: FilesNamed) -> Defaults:
    return Defaults(
        user=spec.user or "",
        port=spec.port or 0,
        identity=files.some("identity", spec.identity),
        known_hosts=files.some("known_hosts", spec.known_hosts),
        ssh_config=next(iter(files.some("ssh_config", spec.ssh_config)), None),
        sudo=spec.sudo,
        forks=spec.forks,
        patience=None if spec.patience is None else float(spec.patience),
        serial=numbers(files.source, ("defaults", "serial"), spec.serial, files.problems),
        max_failures="".join(numbers(files.source, ("defaults", "max_failures"), spec.max_failures, files.problems)),
        inventory=tuple(files.source_path(one) for one in some(spec.inventory)),
        skip_vault_files=spec.vault_files == "skip",
    )
