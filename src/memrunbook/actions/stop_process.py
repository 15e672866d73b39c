"""Ends one process that belongs to no service: asks it to end (TERM), waits, and kills it where it does not."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions import guards
from memrunbook.core.action import Action, Blocked, Change, Decision, Effect, Risk, Verify
from memrunbook.core.moved import Moves
from memrunbook.core.protect import named_only_unit, untouchable_process, untouchable_unit
from memrunbook.core.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.facts.processes import Process

KTHREADD = 2
UNMANAGED = re.compile(r"(session|run)-.+\.scope|user@\d+\.service", re.ASCII)
"""Units whose processes people started by hand: no policy starts them again as a whole."""
PATIENCE = 10
"""Seconds for the process to end by itself, and again after KILL; earlyoom and nohang wait as long."""

# Field 22 of stat, the start, is the 20th word behind the last ")"; a name may hold blanks and parentheses. A zombie
# with threads left (the 18th word) is a main thread that ended before them: its process goes on.
# Sending needs built-ins only; waiting needs `sleep`, so it is left out on a host that cannot start processes.
SCRIPT = """\
stop_same() { # PID STARTTICKS: 0 while that very process is there, its state in stop_state; else 3
  { IFS= read -r stop_stat; } 2>/dev/null <"/proc/$1/stat" || return 3
  stop_wanted=$2
  set -- ${stop_stat##*) }
  stop_state=$1 stop_threads=${18}
  [ "${20}" = "$stop_wanted" ] || return 3
}
stop_ended() { # PID STARTTICKS SECONDS: 0 once it has ended; a zombie has: only its parent has not looked yet
  stop_left=$3
  while stop_same "$1" "$2"; do
    if [ "$stop_state$stop_threads" = Z1 ]; then
      printf '%s\\n' "process $1 has ended; it is a zombie until its parent takes notice"
      return 0
    fi
    [ "$stop_left" -gt 0 ] || return 1
    stop_left=$((stop_left - 1))
    child sleep 1
  done
  return 0
}
act() { # PID STARTTICKS SECONDS
  if ! stop_same "$1" "$2"; then
    printf '%s\\n' "process $1 is gone or another one by now" >&2
    return 3
  fi
  kill -TERM "$1" || return 1
  if [ "$3" = 0 ]; then
    printf '%s\\n' "TERM was sent to process $1; the host cannot start processes, so nobody waited for its end"
    return 0
  fi
  stop_ended "$1" "$2" "$3" && return 0
  printf '%s\\n' "process $1 did not end within $3 s of TERM: KILL"
  stop_same "$1" "$2" || return 0
  kill -KILL "$1" 2>/dev/null
  stop_ended "$1" "$2" "$3" && return 0
  case $stop_state in
    D) stop_why="it waits in the kernel (state D, a disk or a network file system) and ends when that wait does" ;;
    *) stop_why="it is in state $stop_state; giving back much memory takes a while" ;;
  esac
  printf '%s\\n' "process $1 is still there $3 s after KILL: $stop_why" >&2
  return 124
}
act "$@"
"""


class StopProcess(Action, frozen=True, kw_only=True):
    """Stops one process outside of services and containers; known by pid and start, so that no other one is hit."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    effect: ClassVar[Effect] = Effect.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "processes")
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up"}

    pid: Annotated[int, Meta(description="the process")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked for what is protected, belongs to a service or a container, or is not known well enough."""
        known = guards.known("host.boot_id", "host.own_pids", "processes.all", "memory.available_bytes")
        blocked = guards.first(snapshot, known, guards.AS_ROOT, guards.NO_KUBERNETES)
        if blocked is not None:
            return blocked
        every: list[Process] = snapshot.value("processes.all")
        process = next((process for process in every if process.pid == self.pid), None)
        if process is None:
            why = f"process {self.pid} is not among those that were read"
            return Blocked(why, "only the largest processes are read; it may have ended")
        return _protected(snapshot, process) or _owned(process) or self._change(snapshot, process)

    def _change(self, snapshot: Snapshot, process: Process) -> Change:
        pid, start, name = process.pid, process.start_ticks, clean(process.name)
        patience = PATIENCE if snapshot.fork_ok else 0
        return Change(
            action="stop_process",
            summary=f"Stop {name} (pid {pid}): TERM"
            + (f", KILL after {patience} s" if patience else " only, as the host cannot start processes"),
            target=f"pid {pid}",
            command=f"kill -TERM {pid}",
            identity=f"process {pid} start {start} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(str(pid), str(start), str(patience)),
            risk=Risk.HIGH,
            effect=self.effect,
            costs="what it has not saved is lost, and nothing is known here to start it again",
            verify=Verify(
                f"!processes.all.exists(p, p.pid == {pid} && p.start_ticks == {start})"
                f" && 2 * (memory.available_bytes - before.memory.available_bytes) >= {process.anonymous_bytes}"
            ),
            timeout=3.0 * PATIENCE + 30.0,
        )


def _protected(snapshot: Snapshot, process: Process) -> Blocked | None:
    kernel_thread = process.parent == KTHREADD
    why = untouchable_process(process.pid, process.name, process.oom_score_adj, kernel_thread=kernel_thread)
    own_unit = snapshot.value("host.own_unit")
    if process.pid in snapshot.value("host.own_pids") or (process.unit and process.unit == own_unit):
        why = "our own session runs in it or beside it"
    service = f"{process.name}.service"
    if not why and (untouchable_unit(service) or named_only_unit(service)):
        why = "by its name it is a database, a container runtime or what the host depends on"
    if why:
        return Blocked(f"process {process.pid} is protected: {why}", "act on another process, or by its own tools")
    if process.oom_score_adj is None:
        return Blocked(f"oom_score_adj of process {process.pid} is unknown", "`runbook facts` shows what can be read")
    return None


def _owned(process: Process) -> Blocked | None:
    """A service's process is its service's business, a container's that of its runtime."""
    who = f"process {process.pid}"
    if process.container:
        why = f"{who} runs in the container or guest {process.container}"
        return Blocked(why, "act on the container (restart_container) or on the machine that is the guest")
    if not process.cgroup.startswith("/") or process.cgroup.startswith("/.."):
        return Blocked(f"whom {who} belongs to is unknown: its control group is not shown", "act by hand")
    if process.unit and not UNMANAGED.fullmatch(process.unit):
        hint = "restart_unit or stop_unit acts on the whole service"
        return Blocked(f"{who} belongs to {process.unit}, which may start it again or be half dead without it", hint)
    return None
