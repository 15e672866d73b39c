"""Makes the kernel take back memory from one service's cgroup: its file pages, and cold pages into swap."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
from memrunbook.actions.shared.scripts import SAME_RUN, WRITE_SLOWLY
from memrunbook.core.action.action import Action, Blocked, Change, Decision, Leaves, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import Size, format_bytes
from memrunbook.linux.service import Service

ROOT = "/sys/fs/cgroup"
WAIT = 60
LARGEST_SHARE = 0.25

SCRIPT = (
    SAME_RUN
    + WRITE_SLOWLY
    + """\
act() { # UNIT MAINPID INVOCATION FOLDER BYTES SECONDS: an error of the write may still have freed something
  same_run "$1" "$2" "$3" || return
  if [ ! -e "$4/memory.reclaim" ]; then
    printf '%s\\n' "this kernel has no memory.reclaim (Linux 5.19 and later)" >&2
    return 1
  fi
  { IFS= read -r reclaim_before; } 2>/dev/null <"$4/memory.current" || return 3
  write_slowly "$4/memory.reclaim" "$5" "$6"
  [ $? -eq 124 ] && return 124
  { IFS= read -r reclaim_after; } 2>/dev/null <"$4/memory.current" || return 3
  printf '\\nmemory.current %s -> %s\\n' "$reclaim_before" "$reclaim_after"
  [ $((reclaim_before - reclaim_after)) -ge $(($5 / 2)) ]
}
act "$@"
"""
)
FELL = """\
units.all.exists(u, u.name == target && u.active
  && before.units.all.exists(b, b.name == target && u.memory_bytes < b.memory_bytes))"""


class ReclaimCgroup(Action, frozen=True, kw_only=True):
    """Reclaims an amount of memory from a service's cgroup (cgroup v2, Linux 5.19 and later)."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = (*systemd.NEEDS, "swap", "pressure", "vmstat")
    policy: ClassVar[str] = "limit"
    moves: ClassVar[Moves | None] = {"memory.free_bytes": "up", "memory.available_bytes": "up"}
    leaves: ClassVar[Leaves] = "running"

    unit: Annotated[str, Meta(description="the service, as in search-api.service; or give its cgroup")] = ""
    cgroup: Annotated[str, Meta(description="the service's cgroup, as in /system.slice/search-api.service")] = ""
    amount: Annotated[Size, Meta(description="how much; at most a quarter of what it holds")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked under pressure, for more than a quarter of what the group holds, or more than can be reclaimed."""
        name = self._name(snapshot)
        if isinstance(name, Blocked):
            return name
        unit = systemd.running(snapshot, name)
        if isinstance(unit, Blocked):
            return unit
        blocked = guards.first(snapshot, _cgroup_v2, guards.low_pressure, guards.known("swap.free_bytes"))
        return blocked or self._too_much(snapshot, unit) or self._change(snapshot, unit)

    def _name(self, snapshot: Snapshot) -> str | Blocked:
        if bool(self.unit) == bool(self.cgroup):
            return Blocked("it is not clear what to reclaim from", "give either unit or cgroup")
        if self.unit:
            return self.unit
        blocked = guards.known("units.all")(snapshot)
        names = [] if blocked else [unit.name for unit in snapshot.value("units.all") if unit.cgroup == self.cgroup]
        missing = Blocked("no active service has this cgroup: what it holds is unknown", "give the unit's name")
        return names[0] if names else blocked or missing

    def _too_much(self, snapshot: Snapshot, unit: Service) -> Blocked | None:
        if unit.memory_bytes is None or unit.file_bytes is None or not _plain(unit.cgroup):
            return Blocked(f"how much memory {unit.name} holds is unknown", "allow reads as root for this host (sudo)")
        if self.amount > LARGEST_SHARE * unit.memory_bytes:
            why = f"{format_bytes(self.amount)} is more than a quarter of its {format_bytes(unit.memory_bytes)}"
            return Blocked(why, "reclaim less at a time")
        room = unit.file_bytes + snapshot.value("swap.free_bytes")
        if self.amount > room:
            why = f"only {format_bytes(room)} can be reclaimed: its file pages and the free swap"
            return Blocked(why, "restart_unit gives back what it leaked")
        return None

    def _change(self, snapshot: Snapshot, unit: Service) -> Change:
        return self.change(
            summary=f"Reclaim {format_bytes(self.amount)} from {unit.name}",
            target=unit.name,
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=(*systemd.run_arguments(unit), ROOT + unit.cgroup, str(int(self.amount)), str(WAIT)),
            risk=systemd.risk(unit),
            costs="its cold pages go to swap and its files out of the cache; it is slower until it has them back",
            verify=Verify(FELL),
            timeout=2.0 * WAIT,
            touches=unit.name,
            command=f"echo {int(self.amount)} > {ROOT}{unit.cgroup}/memory.reclaim",
        )


def _plain(cgroup: str) -> bool:
    return cgroup.startswith("/") and ".." not in cgroup.split("/")


def _cgroup_v2(snapshot: Snapshot) -> Blocked | None:
    blocked = guards.known("host.cgroup_version")(snapshot)
    if blocked is not None or snapshot.value("host.cgroup_version") == 2:  # noqa: PLR2004  cgroup v2
        return blocked
    return Blocked("reclaiming from a group needs cgroup v2", "restart_unit gives back what the service leaked")
