"""Saves plans so that they can be approved and carried out later, by somebody else, elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import structs

from memrunbook.core.host import Host
from memrunbook.core.plan.approval import people_for
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.core.run.record import Actor
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library, is_path
from memrunbook.runtime.redaction import HIDDEN, named_secret, redact
from memrunbook.state.plans import save_plan
from memrunbook.version import __version__


class Deciding(Protocol):
    """What a use case was asked for, as far as deciding again needs it."""

    @property
    def runbook(self) -> str:
        """The runbook as it was named."""

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts as they were named."""

    @property
    def library(self) -> Library:
        """Where runbooks and configuration lie."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters as text."""

    @property
    def watch(self) -> float | None:
        """For how many seconds a host was read before it was judged."""

    @property
    def actor(self) -> Actor:
        """Who asked."""

    @property
    def waits(self) -> bool:
        """True where nobody sits there: its plans last as long as an approval may take."""


def save(path: Path, asked: Deciding, plans: Sequence[Plan]) -> None:
    """Saves plans with all that deciding again needs; UsageError where the file cannot be written.

    What others must approve, or waits for somebody, can be applied until the deadline of config.yaml, everything else
    as long as it says.
    """
    config = asked.library.config()
    by_name = {host.name: host for host in asked.hosts}
    plans = [lasting(plan, config, waits=asked.waits) for plan in plans]
    kept = {name: _kept(name, value) for name, value in asked.parameters.items()}
    saved = SavedPlan(
        engine=__version__,
        creator=author(asked.actor),
        control_node=asked.actor.control_node,
        runbook=named(asked.runbook),
        parameters={name: value for name, value in kept.items() if value != HIDDEN},
        hidden=tuple(name for name, value in kept.items() if value == HIDDEN),
        watch=asked.watch,
        hosts=tuple(by_name[plan.host] for plan in plans),
        plans=tuple(plans),
        digests=tuple(tuple(step.digest for step in plan.changes) for plan in plans),
    )
    save_plan(path, saved)


def lasting(plan: Plan, config: Config, *, waits: bool = False) -> Plan:
    """The plan, which lasts until the deadline for its approval where others must give one, or it `waits` for one."""
    needed = waits or people_for(config.approvals, [plan])
    return structs.replace(plan, expires_at=plan.taken_at.utc + config.deadline) if needed else plan


def author(actor: Actor) -> str:
    """The person behind an actor, as far as the control node knows."""
    return actor.login_user or actor.sudo_user or actor.user


def named(runbook: str) -> str:
    """A runbook as it can be named from any folder."""
    return str(Path(runbook).absolute()) if is_path(runbook) else runbook


def _kept(name: str, value: str) -> str:
    return HIDDEN if named_secret(name) or redact(value) != value else value
