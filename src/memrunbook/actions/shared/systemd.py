"""What the actions on systemd services share: finding the unit, what forbids touching it, who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.scripts import SAME_RUN
from memrunbook.core.action.action import Action, Blocked, Change, Risk, Undo, Verify
from memrunbook.core.action.protect import named_only_unit, untouchable_unit
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.linux.service import UNREAD, Service

NEEDS = ("host", "units")
UnitName = Annotated[str, Meta(description="the service, as in search-api.service")]
HOLD = 60.0
"""Seconds that a service must stay well: a refilled heap looks cured for a few."""
JOB_EXTRA, LONGEST_JOB, UNKNOWN_JOB = 10.0, 890.0, 180.0

NOT_SHORT = "(memory.available_percent >= 10.0 || memory.available_bytes > before.memory.available_bytes)"

JOURNAL = """\
unit_journal() { # UNIT: the end of its log, for whoever reads why it failed
  child journalctl --unit="$1" --lines=20 --no-pager 2>&1
  return 1
}
"""


@dataclass(frozen=True)
class UnitJob:
    """A job that systemd is asked for and that is waited for: what restart, start and stop of a unit have in common.

    `verb` is the word for `systemctl`; `first` are lines of sh before it, with the unit in $1.
    """

    verb: str
    first: str = ""

    @property
    def script(self) -> str:
        """The constant script; its parameters are those of `run_arguments`."""
        act = f"""\
act() {{ # UNIT MAINPID INVOCATION
  same_run "$1" "$2" "$3" || return
{self.first}  child systemctl {self.verb} --no-ask-password -- "$1" || unit_journal "$1"
}}
act "$@"
"""
        return SAME_RUN + JOURNAL + act

    def change(  # noqa: PLR0913  what the three do not have in common
        self,
        action: Action,
        snapshot: Snapshot,
        unit: Service,
        *,
        costs: str,
        verify: Verify,
        undo: Undo | None = None,
        settle: float = 0.0,
    ) -> Change:
        """The change of an action that is this job, for the run of the unit that the snapshot shows."""
        hit = self._dragged(snapshot, unit)
        return action.change(
            summary=f"{self.verb.capitalize()} {unit.name}",
            target=unit.name,
            command=f"systemctl {self.verb} {unit.name}",
            identity=identity(snapshot, unit),
            script=self.script,
            args=run_arguments(unit),
            risk=risk(unit),
            undo=undo,
            costs=costs + (f"; {self.verb}s with it: {', '.join(hit)}" if hit else ""),
            verify=verify,
            timeout=job_timeout(unit),
            touches=unit.name,
            acts_on=tuple(f"unit:{name}" for name in hit),
            settle=settle,
        )

    def _dragged(self, snapshot: Snapshot, unit: Service) -> list[str]:
        """Who else is hit: the units that systemd takes along, those apart that are known to be down."""
        every: list[Service] = snapshot.value("units.all")
        up = {one.name for one in every if not one.failed}
        hit = [name for name in unit.dragged.split() if name in up or not name.endswith(".service")]
        return [] if self.verb == "start" else hit


def find(snapshot: Snapshot, name: str) -> Service | Blocked | None:
    """The service of this name among those that are active or failed (None where it is neither), or what forbids it."""
    blocked = guards.first(
        snapshot,
        guards.known("host.boot_id", "units.all"),
        guards.NO_KUBERNETES,
        guards.HAS_SYSTEMD,
        guards.AS_ROOT,
        guards.can_fork,
    )
    if blocked is not None:
        return blocked
    if untouchable_unit(name):
        why = f"{name} is protected: the host or our own way in depends on it"
        return Blocked(why, "act on another unit", rule=True)
    every: list[Service] = snapshot.value("units.all")
    unit = next((unit for unit in every if unit.name == name), None)
    return unit if unit is None else _managed_elsewhere(unit) or _our_own(snapshot, unit) or unit


def not_found(name: str) -> Blocked:
    """No active or failed service has this name."""
    hint = "write the whole name, as in search-api.service" if "." not in name else "`systemctl status` shows its state"
    return Blocked(f"{name} is no active or failed service of this host", hint)


def running(snapshot: Snapshot, name: str) -> Service | Blocked:
    """The service of this name, which must be active."""
    unit = find(snapshot, name)
    if unit is None:
        return not_found(name)
    if isinstance(unit, Blocked):
        return unit
    if unit.state == UNREAD:
        return Blocked(f"the systemd details of {name} could not be read", "`runbook facts units` shows why")
    if unit.active:
        return unit
    return Blocked(f"{name} is {unit.state}, not active", "start_unit starts a service that is down")


def stoppable(unit: Service) -> Blocked | None:
    """What keeps systemd from stopping the unit on demand."""
    if unit.refuse_manual_stop or not unit.can_stop:
        return Blocked(f"{unit.name} refuses to be stopped by hand (RefuseManualStop)", "act on what it belongs to")
    return None


def startable(unit: Service) -> Blocked | None:
    """What keeps systemd from starting the unit on demand, or as it was started before."""
    if unit.refuse_manual_start or not unit.can_start:
        return Blocked(f"{unit.name} refuses to be started by hand (RefuseManualStart)", "start what it belongs to")
    if unit.need_daemon_reload:
        return Blocked(
            f"the unit file of {unit.name} has changed on disk: a start would take the change with it",
            "read the change, then `systemctl daemon-reload`",
        )
    return None


def risk(unit: Service, otherwise: Risk = Risk.MEDIUM) -> Risk:
    """High for databases, container runtimes and the like, whatever the action."""
    return Risk.HIGH if named_only_unit(unit.name) or unit.policy.kind == "database" else otherwise


def stays_up(unit: Service) -> str:
    """The condition that the service runs and systemd has not had to restart it (counted from systemd 235 on)."""
    once = " && u.restarts == 0" if unit.restarts is not None else ""
    return f"units.all.exists(u, u.name == target && u.active{once})"


def run_arguments(unit: Service) -> tuple[str, str, str]:
    """What `same_run` asks for: name, main process, invocation."""
    return (unit.name, str(unit.main_pid or 0), unit.invocation_id or "")


def identity(snapshot: Snapshot, unit: Service) -> str:
    """Tells this run of the unit from an earlier or later one."""
    name, pid, invocation = run_arguments(unit)
    return f"{name} main process {pid} invocation {invocation} {guards.boot(snapshot)}"


def job_timeout(unit: Service) -> float:
    """Seconds that systemd itself may need to stop and start the unit, and ten more; at most 15 minutes."""
    return min(unit.timeout_seconds or UNKNOWN_JOB, LONGEST_JOB) + JOB_EXTRA


def _our_own(snapshot: Snapshot, unit: Service) -> Blocked | None:
    pids = snapshot.value("host.own_pids")
    above_us = not isinstance(pids, Unavailable) and unit.main_pid in pids
    if unit.name == snapshot.value("host.own_unit") or above_us:
        why = f"{unit.name} is protected: our own session runs in it"
        return Blocked(why, "act from another session, as over ssh", rule=True)
    return None


def _managed_elsewhere(unit: Service) -> Blocked | None:
    if unit.cluster_managed or unit.policy.kind == "cluster":
        return Blocked(
            f"{unit.name} is run by a cluster manager, which would take this for a failure",
            "act through the cluster manager (pcs, crm, patronictl)",
            rule=True,
        )
    return None
