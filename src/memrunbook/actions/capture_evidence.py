"""Saves what the host says about its memory right now, before anything changes it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.core.action.action import Action, Blocked, Decision, Repeat, Risk
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import Duration, format_duration

LEAST = 1.0
PATIENCE = 20.0
"""The last section may begin within the budget and end so many seconds after it; then the script hangs."""

# The kernel's log first: of an OOM event nothing matters more, and it is a ring that goes on being overwritten. Then
# cheap things. maps and smaps_rollup take a process's mmap_lock: on a thrashing host they would hang behind the
# victim, so they are left out there, and killed after 2 s everywhere. All is bounded: the whole stays below 1 MiB.
SCRIPT = """\
evidence_uptime() {
  { IFS=' .' read -r evidence_now evidence_rest; } 2>/dev/null </proc/uptime || evidence_now=0
}
evidence_left() { # NAME: begins a section unless the time is used up
  evidence_uptime
  if [ "$evidence_now" -ge "$evidence_end" ]; then
    printf '== %s: left out, the time is used up\\n' "$1"
    return 1
  fi
  printf '== %s\\n' "$1"
}
evidence_most() { # COUNT PATTERN FILE...: the lines of most memory
  evidence_count=$1
  shift
  child grep -s -H -E "$@" </dev/null 2>/dev/null | child sort -t: -k3 -n -r | child head -n "$evidence_count"
}
evidence_calm() { # full pressure is known and below 20 %
  evidence_full=100
  while IFS=' =' read -r evidence_kind evidence_key evidence_value evidence_rest; do
    [ "$evidence_kind" = full ] && evidence_full=${evidence_value%%.*}
  done 2>/dev/null </proc/pressure/memory
  [ "$evidence_full" -lt 20 ]
}
evidence_soon() { # PROGRAM ARGUMENT...: no longer than 2 s
  child timeout -s KILL 2 "$@" 2>&1
}
evidence_groups() { # COUNT: the services and containers with most anonymous memory, as folders
  child grep -s -H -E '^(anon|total_rss) ' "$evidence_root"/*.slice/*.service/memory.stat \
    "$evidence_root"/*.slice/*.scope/memory.stat "$evidence_root"/*.slice/*.slice/*.service/memory.stat \
    "$evidence_root"/*.slice/*.slice/*.scope/memory.stat "$evidence_root"/*.slice/*.slice/*.slice/*.scope/memory.stat \
    "$evidence_root"/docker/*/memory.stat 2>/dev/null | child sort -k2 -n -r | child head -n "$1" |
    while IFS= read -r evidence_line; do printf '%s\n' "${evidence_line%/memory.stat:*}"; done
}
evidence_memory() { # FOLDER...: what the kernel says of these groups, of both versions of control groups
  for evidence_folder; do
    for evidence_file in current high max swap.current swap.max events pressure \
      usage_in_bytes limit_in_bytes memsw.usage_in_bytes failcnt oom_control stat; do
      [ -r "$evidence_folder/memory.$evidence_file" ] && set -- "$@" "$evidence_folder/memory.$evidence_file"
    done
    shift
  done
  [ $# -gt 0 ] && child head -n 100 "$@" 2>&1
}
evidence_members() { # FOLDER: the status files of the processes of a group
  while read -r evidence_pid && [ "$evidence_pid" -gt 0 ]; do
    printf '/proc/%s/status\n' "$evidence_pid"
  done <"$1/cgroup.procs"
}
evidence_pids() { # COUNT [FOLDER]: the largest process of the group, then the largest of all
  [ -n "$2" ] && evidence_most 1 "^$evidence_own:" $(evidence_members "$2" 2>/dev/null) | child cut -d/ -f3
  evidence_most "$1" "^$evidence_own:" /proc/[0-9]*/status | child cut -d/ -f3
}
evidence_process() { # PID
  child head -n 80 "/proc/$1/status" "/proc/$1/oom_score" "/proc/$1/oom_score_adj" "/proc/$1/cgroup" 2>&1
  printf '== open files of %s\n' "$1"
  evidence_soon ls -l "/proc/$1/fd" | child head -c 24000
  if evidence_calm; then
    printf '== memory of %s\n' "$1"
    evidence_soon head -c 96000 "/proc/$1/smaps_rollup" "/proc/$1/maps"
  else
    printf '== memory of %s: left out, it is not known that the host does not stall\n' "$1"
  fi
}
evidence_suspects() { # COUNT [FOLDER]
  evidence_more=$1
  evidence_done=' '
  for evidence_suspect in $(evidence_pids "$@"); do
    case $evidence_done in *" $evidence_suspect "*) continue ;; esac
    [ "$evidence_more" -gt 0 ] && evidence_left "process $evidence_suspect" || break
    evidence_more=$((evidence_more - 1))
    evidence_done="$evidence_done$evidence_suspect "
    evidence_process "$evidence_suspect"
  done
}
act() { # SECONDS SUSPECTS LINES
  evidence_uptime
  evidence_end=$((evidence_now + $1))
  evidence_own=VmRSS
  while read -r evidence_key evidence_rest; do
    [ "$evidence_key" = RssAnon: ] && evidence_own=RssAnon
  done </proc/self/status
  evidence_root=/sys/fs/cgroup
  [ -e "$evidence_root/cgroup.controllers" ] || evidence_root=$evidence_root/memory
  evidence_left "kernel log, last $3 lines" && child dmesg 2>&1 | child tail -n "$3"
  evidence_left 'memory' && child head -n 400 /proc/uptime /proc/loadavg /proc/meminfo /proc/swaps /proc/vmstat \
    /proc/buddyinfo /proc/pressure/memory /proc/pressure/io /proc/pressure/cpu 2>&1
  evidence_left 'parameters' && child grep -s . /proc/sys/vm/swappiness /proc/sys/vm/*_kbytes /proc/sys/vm/dirty_* \
    /proc/sys/vm/overcommit_* /proc/sys/vm/watermark_* /proc/sys/vm/max_map_count /proc/sys/vm/nr_hugepages 2>&1
  evidence_left 'processes by memory' && evidence_most 40 "^($evidence_own|VmSwap|RssShmem):" /proc/[0-9]*/status
  evidence_left 'slab' && child head -n 400 /proc/slabinfo 2>&1
  [ "$2" -gt 0 ] && evidence_left "the $2 largest control groups and processes" || return 0
  evidence_budget=$2
  IFS='
'
  set -- $(evidence_groups "$2")
  unset IFS
  evidence_memory "$@"
  evidence_suspects "$evidence_budget" "$1"
  return 0
}
act "$@"
"""


class CaptureEvidence(Action, frozen=True, kw_only=True):
    """Gathers evidence as text: memory, parameters, log, slab, the largest groups and processes; changes nothing."""

    max_risk: ClassVar[Risk] = Risk.NONE
    repeat: ClassVar[Repeat] = Repeat.READ
    moves: ClassVar[Moves | None] = {}
    only_target: ClassVar[str] = "evidence"

    budget: Annotated[Duration, Meta(description="no further section begins after this time")] = Duration(10)
    suspects: Annotated[
        int,
        Meta(ge=0, le=10, description="so many of the largest control groups and processes are looked at one by one"),
    ] = 5
    log_lines: Annotated[int, Meta(ge=0, le=2000, description="so much of the end of the kernel log")] = 200

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked where no process can be started."""
        if self.budget < LEAST:
            return Blocked("the budget is shorter than a second", 'write it as in "budget: 10s"')
        return guards.can_fork(snapshot) or self.change(
            summary=f"Save the evidence, within {format_duration(self.budget)}",
            target=self.only_target,
            command="read /proc and dmesg",
            script=SCRIPT,
            args=(str(int(self.budget)), str(self.suspects), str(self.log_lines)),
            timeout=self.budget + PATIENCE,
            evidence=True,
        )
