"""Makes the OOM killer prefer a process (a higher value) or spare it (a lower one)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
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
from memrunbook.core.action.protect import NEVER_KILLED, named_only_unit, untouchable_process, untouchable_unit
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.facts.processes import Process

KTHREADD = 2

# Built-ins only: this works while the host cannot fork. Field 22 of stat is the 20th word behind the last ")".
SAME_PROCESS = """\
same_process() { # PID STARTTICKS: 0 while that very process lives, else 3
  { IFS= read -r adj_stat; } 2>/dev/null <"/proc/$1/stat" || return 3
  adj_wanted=$2
  set -- ${adj_stat##*) }
  [ "${20}" = "$adj_wanted" ] || return 3
}
adj_gone() {
  printf '%s\\n' "process $1 is gone or another one by now" >&2
  return 3
}
"""
SCRIPT = (
    SAME_PROCESS
    + """\
act() { # PID STARTTICKS VALUE
  same_process "$1" "$2" || { adj_gone "$1"; return; }
  printf '%s\\n' "$3" >"/proc/$1/oom_score_adj" || return 1
}
act "$@"
"""
)
UNDO = (
    SAME_PROCESS
    + """\
take_back() { # PID STARTTICKS OURS OLD
  same_process "$1" "$2" || { adj_gone "$1"; return; }
  { IFS= read -r adj_now; } 2>/dev/null <"/proc/$1/oom_score_adj" || return 3
  [ "$adj_now" = "$4" ] && return 0
  if [ "$adj_now" != "$3" ]; then
    printf '%s\\n' "oom_score_adj of process $1 is $adj_now, not $3 as we left it: somebody else has changed it" >&2
    return 4
  fi
  """
    + LOOK_ONLY
    + """\
  printf '%s\\n' "$4" >"/proc/$1/oom_score_adj" || return 1
}
take_back "$@"
"""
)


class SetOomScoreAdj(Action, frozen=True, kw_only=True):
    """Sets `oom_score_adj` of one process, or of a service's main process; children that it starts inherit it."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = (*systemd.NEEDS, "processes")
    undo_mode: ClassVar[UndoMode] = "auto"
    policy: ClassVar[str] = "limit"
    moves: ClassVar[Moves | None] = {}

    pid: Annotated[int | None, Meta(description="the process; or give the service")] = None
    unit: Annotated[str, Meta(description="the service whose main process is meant")] = ""
    value: Annotated[
        int, Meta(ge=NEVER_KILLED + 1, le=1000, description="1000 is killed first; -1000 (never) is not offered")
    ]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it has the value; blocked for protected processes and where the process is not known."""
        if (self.pid is None) == (not self.unit):
            return Blocked("it is not clear which process is meant", "give either pid or unit")
        process = self._of_unit(snapshot) if self.unit else _process(snapshot, self.pid)
        if isinstance(process, Blocked):
            return process
        blocked = _protected(process, snapshot.value("host.own_pids"))
        if blocked is not None:
            return blocked
        if process.oom_score_adj is None:
            return Blocked(f"oom_score_adj of process {process.pid} is unknown", "allow reads as root (sudo)")
        if process.oom_score_adj == self.value:
            return NotNeeded(f"oom_score_adj of process {process.pid} is {self.value}")
        return self._change(snapshot, process, process.oom_score_adj)

    def _of_unit(self, snapshot: Snapshot) -> Process | Blocked:
        unit = systemd.running(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        if unit.main_pid is None:
            return Blocked(f"{unit.name} has no main process", "give the pid")
        return _process(snapshot, unit.main_pid)

    def _change(self, snapshot: Snapshot, process: Process, old: int) -> Change:
        pid = process.pid
        who = f"the main process of {self.unit}" if self.unit else f"{clean(process.name)} (pid {pid})"
        exact = (str(pid), str(process.start_ticks))
        return self.change(
            summary=f"oom_score_adj of {who} {old} -> {self.value}",
            target=self.unit or f"pid {pid}",
            identity=f"process {exact[0]} start {exact[1]} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(*exact, str(self.value)),
            risk=self._risk(process, old),
            undo=Undo(f"oom_score_adj of {who} back to {old}", UNDO, (*exact, str(self.value), str(old))),
            costs=f"when memory runs out, it is killed {'sooner' if self.value > old else 'later, and others sooner'}; "
            "lost when it restarts",
            verify=Verify(f"processes.all.exists(p, p.pid == {pid} && p.oom_score_adj == {self.value})"),
            touches=self.unit or process.unit,
            acts_on=(f"process:{process.name}", f"unit:{process.unit}", f"container:{process.container}"),
            command=f"echo {self.value} > /proc/{pid}/oom_score_adj",
        )

    def _risk(self, process: Process, old: int) -> Risk:
        if named_only_unit(self.unit or process.unit):
            return Risk.HIGH
        return Risk.LOW if self.value > old else Risk.MEDIUM


def _process(snapshot: Snapshot, pid: int | None) -> Process | Blocked:
    known = guards.known("host.boot_id", "processes.all")
    blocked = guards.first(snapshot, known, guards.AS_ROOT, guards.NO_KUBERNETES)
    if blocked is not None:
        return blocked
    every: list[Process] = snapshot.value("processes.all")
    missing = Blocked(f"process {pid} is not among those that were read", "only the largest processes are read")
    return next((process for process in every if process.pid == pid), missing)


def _protected(process: Process, own: list[int] | Unavailable) -> Blocked | None:
    kernel_thread = process.parent == KTHREADD
    why = untouchable_process(process.pid, process.name, process.oom_score_adj, kernel_thread=kernel_thread)
    if not isinstance(own, Unavailable) and process.pid in own:
        why = "our own session runs in it"
    if not why and untouchable_unit(process.unit):
        why = f"it belongs to {process.unit}, on which the host or our own way in depends"
    return Blocked(f"process {process.pid} is protected: {why}", "act on another process") if why else None
