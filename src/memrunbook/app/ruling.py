"""What config.yaml says of a run: what it forbids on a host, when nothing is changed, whether it needs a reason."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from msgspec import structs

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.instant import Instant
from memrunbook.core.inventory.inventory import ALL
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.reading.rules import HostRules, RiskLimit, Untouchable
from memrunbook.core.units import format_duration

if TYPE_CHECKING:
    from memrunbook.core.host import Host
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.documents.config import Config, MaximumRisk

BY_HAND = "act by hand, or have the line changed"
BY_PLAN = "a saved plan may go further: runbook plan NAME --host HOST --out FILE, then: runbook apply FILE"
WORDS: Mapping[Risk, RiskLimit] = {Risk.NONE: "none", Risk.LOW: "low", Risk.MEDIUM: "medium", Risk.HIGH: "high"}
Mode = Literal["run", "apply", "undo"]


def rules_for(config: Config, host: Host, mode: Mode) -> HostRules:
    """What is forbidden on a host to a command of this kind: by config.yaml, and by its inventory then and now."""
    host = as_said_now(config, host)
    listed = (
        *(one.rule for one in config.untouchable if _is_on(host, one.hosts, one.groups)),
        *(Untouchable(kind="unit", pattern=one.pattern, where=one.where) for one in host.protected_units),
    )
    limits = [one for one in config.maximum_risk if _is_about(one, host, mode)]
    if not limits:
        return HostRules(listed)
    lowest = min(limits, key=lambda one: one.risk)
    because = f" ({lowest.why})" if lowest.why else ""
    hint = BY_HAND
    if mode == "run" and Risk[rules_for(config, host, "apply").risk.upper()] > lowest.risk:
        hint = BY_PLAN
    said = "changes nothing" if lowest.risk is Risk.NONE else f"goes up to risk {lowest.risk.word}"
    why = f"{lowest.where} says that {mode} {said} here{because}"
    return HostRules(listed, WORDS[lowest.risk], why, hint)


def as_said_now(config: Config, host: Host) -> Host:
    """The host, with the groups, tags, protected units and peers that the inventory gives it by now too."""
    now = config.hosts.get(host.name)
    if now is None or now == host:
        return host
    protected = {one.pattern: one for one in (*host.protected_units, *now.protected_units)}
    return structs.replace(
        host,
        groups=tuple(dict.fromkeys((*host.groups, *now.groups))),
        tags=tuple(dict.fromkeys((*host.tags, *now.tags))),
        protected_units=tuple(protected.values()),
        peers=tuple(dict.fromkeys((*host.peers, *now.peers))),
    )


def _is_about(limit: MaximumRisk, host: Host, mode: Mode) -> bool:
    tagged = not limit.tag or limit.tag in host.tags
    return mode in limit.modes and tagged and _is_on(host, limit.hosts, limit.groups)


def _is_on(host: Host, hosts: str, groups: Sequence[str]) -> bool:
    """True for a host whose name matches a pattern and, where groups are named, that is in one of them."""
    inside = (*host.groups, ALL) if host.groups else ()
    grouped = not groups or any(fnmatch.fnmatchcase(name, pattern) for name in inside for pattern in groups)
    return grouped and fnmatch.fnmatchcase(host.name, hosts)


@dataclass(frozen=True)
class Freezes:
    """The freeze windows, and the consents that let a change through one."""

    windows: tuple[FreezeWindow, ...] = ()
    consents: Consents = field(default_factory=Consents)

    def frozen(self, host: str, now: float) -> Refused | None:
        """Why nothing is changed on a host now; None outside of all windows, and where each was allowed by name."""
        held = frozen_now(self.windows, host, now)
        closed = [one for one in held if not self.consents.use(one[0].allowed_by)]
        if not closed:
            return None
        return Refused(
            "; ".join(freeze_words(*one, now) for one in closed), hint=through(window for window, _ in closed)
        )


NO_FREEZE = Freezes()


def freeze_words(window: FreezeWindow, until: float, now: float) -> str:
    """A sentence: "config.yaml:12 says that nothing is changed until … (freeze year-end: the annual accounts)"."""
    because = f": {window.why}" if window.why else ""
    ends = Instant(until, 0.0).isoformat()[:16].replace("T", " ")
    left = format_duration(until - now)
    return (
        f"{window.where} says that nothing is changed here until {ends} UTC, in {left} (freeze {window.name}{because})"
    )


def through(windows: Iterable[FreezeWindow]) -> str:
    """How a person goes on in an emergency."""
    words = " ".join(f"--allow {window.allowed_by}" for window in windows)
    return f'wait; in an emergency add to the command: {words} --reason "why it cannot wait" (it is recorded)'


def demand_reason(config: Config, reason: str, risk: Risk, command: str) -> None:
    """UsageError where config.yaml asks for a reason for changes of this risk, and none was given."""
    if config.reason_from is None or risk < config.reason_from or reason.strip():
        return
    what = "a reason" if config.reason_from is Risk.NONE else f"a reason for what may be of risk {risk.word}"
    again = f'runbook {command} --reason "why, or a ticket"' if command else "give a reason"
    raise UsageError(f"{config.reason_where} asks for {what}, and none was given", where="--reason", hint=again)


def risk_of(runbook: Runbook) -> Risk:
    """The highest risk that a step of a runbook may have."""
    return max((step.action.max_risk for step in runbook.steps), default=Risk.NONE)


def frozen_now(windows: Iterable[FreezeWindow], host: str, now: float) -> list[tuple[FreezeWindow, float]]:
    """The windows that hold for a host, each with when it ends."""
    return [(window, until) for window in windows if (until := window.until(host, now)) is not None]
