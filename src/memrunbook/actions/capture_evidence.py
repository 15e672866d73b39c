"""Saves what the host says about its memory right now, before anything changes it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions import guards
from memrunbook.core.action import Action, Blocked, Change, Decision, Effect, Risk
from memrunbook.core.snapshot import Snapshot
from memrunbook.core.units import Duration, format_duration

LEAST = 1.0
PATIENCE = 3.0
"""The last section may begin within the budget and end after it; a script that takes this many budgets hangs."""

# Cheap things first. smaps_rollup takes a process's mmap_lock: on a thrashing host it would hang behind the victim.
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
evidence_ranked() { # FIELD: the 15 processes with most of it
  child grep -s "^$1:" /proc/[0-9]*/status 2>/dev/null | child sort -t: -k3 -n -r | child head -n 15
}
evidence_calm() { # full pressure is known and below 20 %
  evidence_full=100
  while IFS=' =' read -r evidence_kind evidence_key evidence_value evidence_rest; do
    [ "$evidence_kind" = full ] && evidence_full=${evidence_value%%.*}
  done 2>/dev/null </proc/pressure/memory
  [ "$evidence_full" -lt 20 ]
}
evidence_suspects() { # COUNT
  child grep -s '^RssAnon:' /proc/[0-9]*/status 2>/dev/null | child sort -t: -k3 -n -r | child head -n "$1" |
    while IFS=: read -r evidence_path evidence_rest; do
      child head -n 80 "$evidence_path" "${evidence_path%/status}/oom_score" "${evidence_path%/status}/cgroup" 2>&1
      evidence_calm 2>/dev/null && child cat "${evidence_path%/status}/smaps_rollup" 2>&1
    done
}
act() { # SECONDS SUSPECTS LINES
  evidence_uptime
  evidence_end=$((evidence_now + $1))
  evidence_left 'memory' && child head -n 400 /proc/uptime /proc/loadavg /proc/meminfo /proc/swaps /proc/vmstat \
    /proc/buddyinfo /proc/pressure/memory /proc/pressure/io /proc/pressure/cpu 2>&1
  evidence_left 'parameters' && child grep -s . /proc/sys/vm/swappiness /proc/sys/vm/*_kbytes /proc/sys/vm/dirty_* \
    /proc/sys/vm/overcommit_* /proc/sys/vm/watermark_* /proc/sys/vm/max_map_count /proc/sys/vm/nr_hugepages 2>&1
  for evidence_field in RssAnon VmSwap RssShmem; do
    evidence_left "processes by $evidence_field" && evidence_ranked "$evidence_field"
  done
  evidence_left "kernel log, last $3 lines" && child dmesg 2>&1 | child tail -n "$3"
  [ "$2" -gt 0 ] && evidence_left "the $2 largest processes" && evidence_suspects "$2"
  evidence_left 'slab' && child head -n 200 /proc/slabinfo 2>&1
  return 0
}
act "$@"
"""


class CaptureEvidence(Action, frozen=True, kw_only=True):
    """Gathers evidence as text: memory, parameters, kernel log, slab, and the largest processes; changes nothing."""

    max_risk: ClassVar[Risk] = Risk.NONE
    effect: ClassVar[Effect] = Effect.READ

    budget: Annotated[Duration, Meta(description="no further section begins after this time")] = Duration(10)
    suspects: Annotated[
        int, Meta(ge=0, le=10, description="so many of the largest processes are looked at one by one")
    ] = 3
    log_lines: Annotated[int, Meta(ge=0, le=2000, description="so much of the end of the kernel log")] = 200

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked where no process can be started."""
        if self.budget < LEAST:
            return Blocked("the budget is shorter than a second", 'write it as in "budget: 10s"')
        return guards.can_fork(snapshot) or Change(
            action="capture_evidence",
            summary=f"Save the evidence, within {format_duration(self.budget)}",
            target="evidence",
            command="read /proc and dmesg",
            script=SCRIPT,
            args=(str(int(self.budget)), str(self.suspects), str(self.log_lines)),
            risk=Risk.NONE,
            effect=self.effect,
            timeout=PATIENCE * self.budget,
            evidence=True,
        )
