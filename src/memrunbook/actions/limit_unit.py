"""Limits the memory of a service until the next reboot, so that it cannot take the host down."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD, SAME_RUN
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
    Decision,
    Leaves,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import Size, format_bytes
from memrunbook.linux.service import Service

ROOT = "/sys/fs/cgroup"

SCRIPT = (
    SAME_RUN
    + """\
act() { # UNIT MAINPID INVOCATION PROPERTY=VALUE…
  same_run "$1" "$2" "$3" || return
  limit_unit=$1
  shift 3
  child systemctl set-property --no-ask-password --runtime -- "$limit_unit" "$@" || return 1
}
act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + """\
limit_shown() { # PROPERTY: its value in limit_value
  limit_value=${limit_now#*"$limit_nl$1="}
  limit_value=${limit_value%%"$limit_nl"*}
}
limit_used() { # PROPERTY ROOT: in limit_value what the unit uses now of what the property limits, empty if unknown
  limit_shown ControlGroup
  [ -n "$limit_value" ] || { limit_value=0; return; }
  if [ "$1" = MemorySwapMax ]; then
    { IFS= read -r limit_value; } 2>/dev/null <"$2$limit_value/memory.swap.current" || limit_value=0
  else
    limit_shown MemoryCurrent
  fi
  case $limit_value in *[!0-9]* | ???????????????????*) limit_value= ;; esac
}
limit_fits() { # PROPERTY=OLD ROOT: what is put back kills nothing and stops nothing at once
  case $1 in *=infinity | MemoryHigh=*) return 0 ;; esac
  limit_used "${1%%=*}" "$2"
  [ -n "$limit_value" ] && [ "$limit_value" -le "${1#*=}" ] && return 0
  printf '%s\\n' "$limit_unit uses ${limit_value:-an unknown amount}: $1 would be below that and is not put back" >&2
  return 1
}
take_back() { # UNIT ROOT 'PROPERTY=OURS PROPERTY=OLD'…
  limit_nl='
'
  limit_unit=$1
  limit_root=$2
  shift 2
  limit_now=$(child systemctl show --property=MemoryHigh --property=MemoryMax --property=MemorySwapMax \
    --property=MemoryCurrent --property=ControlGroup -- "$limit_unit") || return 1
  limit_now=$limit_nl$limit_now$limit_nl
  for limit_pair; do
    shift
    case $limit_now in
      *"$limit_nl${limit_pair#* }$limit_nl"*) ;;
      *"$limit_nl${limit_pair% *}$limit_nl"*)
        limit_fits "${limit_pair#* }" "$limit_root" || return 4
        set -- "$@" "${limit_pair#* }"
        ;;
      *) printf '%s\\n' "$limit_unit: ${limit_pair% *} is not set any more: somebody changed it" >&2; return 4 ;;
    esac
  done
  [ $# -ne 0 ] || return 0
  """
    + LOOK_ONLY
    + """\
  child systemctl set-property --no-ask-password --runtime -- "$limit_unit" "$@" || return 1
}
take_back "$@"
"""
)
PROPERTIES = {"memory_high": "MemoryHigh", "memory_max": "MemoryMax", "swap_max": "MemorySwapMax"}
COSTS = {
    "memory_high": "above it the service is slowed down hard, and nothing kills it",
    "memory_max": "above it a process of the service is killed",
    "swap_max": "it may not swap out more than this",
}


class LimitUnit(Action, frozen=True, kw_only=True):
    """Sets MemoryHigh, MemoryMax or MemorySwapMax until the next reboot at most; of a service that is down raises them.

    What is set of a service that is down counts from its next start on (systemctl(1), set-property).
    """

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    undo_mode: ClassVar[UndoMode] = "auto"
    policy: ClassVar[str] = "limit"
    leaves: ClassVar[Leaves] = "running"

    unit: systemd.UnitName
    memory_high: Annotated[Size | None, Meta(description="MemoryHigh: slowed down above it; for batch work")] = None
    memory_max: Annotated[Size | None, Meta(description="MemoryMax: killed above it; for services that restart")] = None
    swap_max: Annotated[Size | None, Meta(description="MemorySwapMax: the most it may have in swap")] = None
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")

    @property
    def limits(self) -> dict[str, int]:
        """The limits that are asked for, by parameter."""
        values = {name: getattr(self, name) for name in PROPERTIES}
        return {name: int(value) for name, value in values.items() if value is not None}

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where the limits are set; blocked where cgroups or usage do not allow them."""
        if not self.limits:
            return Blocked("no limit is given", f"give {', '.join(PROPERTIES)} or several of them")
        unit = self._limitable(snapshot)
        if isinstance(unit, Blocked):
            return unit
        if all(getattr(unit, f"{name}_bytes") == value for name, value in self.limits.items()):
            return NotNeeded(f"{unit.name} has these limits")
        known = guards.known("host.cgroup_version", "host.remediators")
        blocked = guards.first(snapshot, known, guards.comes_back(self.for_))
        return blocked or self._unfit(snapshot, unit) or self._change(snapshot, unit)

    def _limitable(self, snapshot: Snapshot) -> Service | Blocked:
        """A service that runs; of one that is down only the limits that it has are raised, for its next start."""
        unit = systemd.find(snapshot, self.unit)
        if not isinstance(unit, Service) or not unit.failed:
            return systemd.running(snapshot, self.unit)
        old = {name: getattr(unit, f"{name}_bytes") for name in self.limits}
        if all(old[name] is not None and value >= old[name] for name, value in self.limits.items()):
            return unit
        return Blocked(f"{unit.name} is down, and only a limit that it has can be raised then", "start it first")

    def _unfit(self, snapshot: Snapshot, unit: Service) -> Blocked | None:
        if not unit.failed and unit.memory_bytes is None:
            return Blocked(f"how much memory {unit.name} uses is unknown", "switch on memory accounting for it")
        version = snapshot.value("host.cgroup_version")
        if version == 2:  # noqa: PLR2004  cgroup v2
            return None
        if version == 0 or set(self.limits) != {"memory_max"}:
            return Blocked("MemoryHigh and MemorySwapMax need cgroup v2", "give memory_max alone (cgroup v1)")
        if not self._below(unit):
            return None
        return Blocked(
            f"{unit.name} uses {format_bytes(unit.memory_bytes or 0)}; cgroup v1 refuses a limit below that",
            "restart the service first, or choose a higher limit",
        )

    def _below(self, unit: Service) -> list[str]:
        used = 0 if unit.failed else unit.memory_bytes or 0
        return [name for name in ("memory_high", "memory_max") if self.limits.get(name, used) < used]

    def _risk(self, snapshot: Snapshot, unit: Service) -> Risk:
        below = self._below(unit)
        throttled = "memory_high" in self.limits and "systemd-oomd" in snapshot.value("host.remediators")
        starved = "memory_high" in below and unit.policy.kind != "batch"
        return Risk.HIGH if "memory_max" in below or throttled or starved else systemd.risk(unit)

    def _change(self, snapshot: Snapshot, unit: Service) -> Change:
        settings = {name: f"{PROPERTIES[name]}={value}" for name, value in self.limits.items()}
        old = {name: getattr(unit, f"{name}_bytes") for name in settings}
        pairs = [f"{ours} {PROPERTIES[name]}={_written(old[name])}" for name, ours in settings.items()]
        words = ", ".join(f"{PROPERTIES[name]} {format_bytes(value)}" for name, value in self.limits.items())
        return self.change(
            summary=f"Limit {unit.name}: {words}",
            target=unit.name,
            command=f"systemctl set-property --runtime {unit.name} {' '.join(settings.values())}",
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=(*systemd.run_arguments(unit), *settings.values()),
            risk=self._risk(snapshot, unit),
            undo=Undo(f"the limits of {unit.name} as before", UNDO, (unit.name, ROOT, *pairs)),
            costs="; ".join(self._costs(unit)),
            verify=self._proof(unit),
            back_after=self.for_,
            touches=unit.name,
        )

    def _proof(self, unit: Service) -> Verify:
        """A service that is down has a higher limit at its next start; one that runs must live with what it got."""
        sign = ">=" if unit.failed else "<="
        holds = " && ".join(f"u.{name}_bytes {sign} {value}" for name, value in self.limits.items())
        if unit.failed:
            return Verify(f"units.all.exists(u, u.name == target && {holds})")
        return Verify(f"units.all.exists(u, u.name == target && u.active && {holds})", within=120.0, hold=systemd.HOLD)

    def _costs(self, unit: Service) -> list[str]:
        costs = [COSTS[name] for name in self.limits]
        costs += [f"it uses more than {PROPERTIES[name]} now: that begins at once" for name in self._below(unit)]
        if "memory_max" in self.limits and unit.restart_setting in ("no", ""):
            costs.append("nothing restarts it after that (Restart=no)")
        return costs


def _written(value: int | None) -> str:
    return "infinity" if value is None else str(value)
