"""Ends one process that belongs to no service: asks it to end (TERM), waits, and kills it where that does not help."""

from __future__ import annotations

import math
import re
from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.core.action.action import Action, Blocked, Change, Decision, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.action.protect import protected_name, untouchable_process
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.core.units import Duration, format_duration
from memrunbook.facts.processes import Process

INIT, KTHREADD = 1, 2
UNMANAGED = re.compile(r"(session|run)-.+\.scope|user@\d+\.service", re.ASCII)
"""Units whose processes people started by hand: no policy starts them again as a whole."""
OPENRC = "/openrc."
"""Where OpenRC puts each of its services."""
PATIENCE = Duration(10)
"""Earlyoom and nohang wait as long."""
LEAST_PATIENCE, MOST_PATIENCE = 1.0, 600.0

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
stop_size() { # PID: stop_held, its anonymous memory in KiB (before 4.5 all that is resident), 0 where it is unknown
  stop_held=0
  { while read -r stop_key stop_value stop_unit; do
      case $stop_key in
        VmRSS:) stop_held=$stop_value ;;
        RssAnon:) stop_held=$stop_value; break ;;
      esac
    done; } 2>/dev/null <"/proc/$1/status"
}
stop_available() { # stop_memory in KiB
  stop_memory=0
  { while read -r stop_key stop_value stop_unit; do
      [ "$stop_key" = MemAvailable: ] && stop_memory=$stop_value && break
    done; } </proc/meminfo
}
stop_relieved() { # half of what it held when TERM was sent is available again; 16 MiB come and go by themselves
  stop_available
  [ "$stop_held" -ge 32768 ] && [ $((2 * (stop_memory - stop_before))) -ge "$stop_held" ]
}
act() { # PID STARTTICKS SECONDS
  stop_size "$1"
  stop_available
  stop_before=$stop_memory
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
  if stop_relieved; then
    printf '%s\\n' "process $1 has not ended within $3 s of TERM, but half of its memory is back: no KILL as yet"
    stop_ended "$1" "$2" "$3" && return 0
    if stop_relieved; then
      printf '%s\\n' "process $1 is left to end by itself"
      return 0
    fi
  fi
  printf '%s\\n' "process $1 did not end within $3 s of TERM and its memory is not back: KILL"
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
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "processes")
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up"}

    pid: Annotated[int, Meta(description="the process")]
    patience: Annotated[
        Duration, Meta(description="how long it may take to end by itself, 1 s to 10 min; KILL takes no notice of work")
    ] = PATIENCE

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked for what is protected, belongs to a service or a container, or is not known well enough."""
        known = guards.known("host.boot_id", "host.own_pids", "processes.all", "memory.available_bytes")
        blocked = guards.first(snapshot, known, guards.AS_ROOT, guards.NO_KUBERNETES)
        if blocked is not None:
            return blocked
        if not LEAST_PATIENCE <= self.patience <= MOST_PATIENCE:
            return Blocked(f"{format_duration(self.patience)} of patience is not allowed", "allowed: 1 s to 10 min")
        every: list[Process] = snapshot.value("processes.all")
        process = next((process for process in every if process.pid == self.pid), None)
        if process is None:
            why = f"process {self.pid} is not among those that were read"
            return Blocked(why, "only the largest processes are read; it may have ended")
        return _protected(snapshot, process) or _owned(snapshot, process) or self._change(snapshot, process)

    def _change(self, snapshot: Snapshot, process: Process) -> Change:
        pid, start, name = process.pid, process.start_ticks, clean(process.name)
        patience, how = 0, "TERM only, as the host cannot start processes"
        if snapshot.fork_ok:
            patience = math.ceil(self.patience)
            how = f"TERM, KILL after {patience} s where its memory is not back"
        return self.change(
            summary=f"Stop {name} (pid {pid}): {how}",
            target=f"pid {pid}",
            command=f"kill -TERM {pid}",
            identity=f"process {pid} start {start} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(str(pid), str(start), str(patience)),
            costs="what it has not saved is lost, and nothing is known here to start it again",
            verify=Verify(
                f"!processes.all.exists(p, p.pid == {pid} && p.start_ticks == {start})"
                f" && 2 * (memory.available_bytes - before.memory.available_bytes) >= {process.anonymous_bytes}"
            ),
            timeout=3.0 * patience + 60.0,
            acts_on=(f"process:{process.name}", f"unit:{process.unit}"),
        )


def _protected(snapshot: Snapshot, process: Process) -> Blocked | None:
    kernel_thread = process.parent == KTHREADD
    why = untouchable_process(process.pid, process.name, process.oom_score_adj, kernel_thread=kernel_thread)
    own_unit = snapshot.value("host.own_unit")
    if process.pid in snapshot.value("host.own_pids") or (process.unit and process.unit == own_unit):
        why = "our own session runs in it or beside it"
    if not why and protected_name(process.name):
        why = "by its name it is a database, a container runtime or what the host depends on"
    if why:
        return Blocked(f"process {process.pid} is protected: {why}", "act on another process, or by its own tools")
    if process.oom_score_adj is None:
        return Blocked(f"oom_score_adj of process {process.pid} is unknown", "`runbook facts` shows what can be read")
    return None


def _owned(snapshot: Snapshot, process: Process) -> Blocked | None:
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
    if process.cgroup.startswith(OPENRC):
        service = clean(process.cgroup.removeprefix(OPENRC))
        return Blocked(f"{who} belongs to the service {service}", "stop the service by rc-service")
    if snapshot.value("host.systemd") is not True and process.parent == INIT:
        why = f"{who} is a child of init, as daemons are, and systemd is not there to tell whose it is"
        return Blocked(why, "stop its service, or act by hand")
    return None
