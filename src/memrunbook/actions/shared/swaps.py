"""What the actions on swap share: sh that takes a device off and on again safely, and what forbids touching swap."""

from __future__ import annotations

import re

from memrunbook.actions.shared import guards
from memrunbook.core.action.action import Blocked
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import KIB, MIB

FULL_PRESSURE_LIMIT = 5.0
THRASHING = 256 * KIB
LEAST_RESERVE = 512 * MIB
PAGE_SLACK = 64 * KIB
"""The first page of a swap area holds its name; the largest page that Linux has."""
PLAIN_NAME = re.compile(r"(/[\w.+-]+)+", re.ASCII)
"""Names that /proc/swaps shows as they are."""

NO_QUORUM = guards.is_not(
    "host.cluster_managed",
    True,
    "a cluster manager runs here: a member that swaps is slow where it should be fenced",
    "add memory, or move work to another member",
)

LINE = """\
swap_line() { # NAME: 0 where it is swap, with swap_size, swap_used (KiB) and swap_priority
  { while read -r swap_name swap_kind swap_size swap_used swap_priority; do
      [ "$swap_name" = "$1" ] && return 0
    done; } </proc/swaps
  return 1
}
"""

ON = """\
swap_on() { # NAME PRIORITY: a negative one is the kernel's choice; some busybox know none at all
  case $2 in
    -*) ;;
    *) child swapon -p "$2" "$1" 2>/dev/null && return 0 ;;
  esac
  child swapon "$1"
}
"""

# `swapoff` reads every page back and is the OOM killer's first choice: what does not fit is refused, and what no longer
# fits while it works is stopped by a signal, upon which the kernel goes on using the device as before.
# The background process is swapoff itself, so that the signal meets it; it gets the login's own oom_score_adj as every
# child does. Without a connection the shell would end by a signal: the device may be off by then and would stay so.
OFF = (
    LINE
    + """\
swap_memory() { # swap_available and swap_reserve, in KiB
  swap_ram=0 swap_available=0
  { while read -r swap_key swap_value swap_unit; do
      case $swap_key in
        MemTotal:) swap_ram=$swap_value ;;
        MemAvailable:) swap_available=$swap_value; break ;;
      esac
    done; } </proc/meminfo
  swap_reserve=$((swap_ram / 10))
  [ "$swap_reserve" -ge 524288 ] || swap_reserve=524288
}
swap_fits() { # NAME: what is on it goes into available memory and leaves the reserve
  if ! swap_line "$1"; then
    printf '%s\\n' "$1 is no swap in use any more" >&2
    return 3
  fi
  swap_memory
  [ "$swap_available" -gt $((swap_used + swap_reserve)) ] && return 0
  printf '%s\\n' "$swap_used KiB are on $1, $swap_available KiB are available and $swap_reserve KiB must stay so" >&2
  return 4
}
swap_pages() { # swap_in and swap_out since boot
  { while read -r swap_key swap_value; do
      case $swap_key in
        pswpin) swap_in=$swap_value ;;
        pswpout) swap_out=$swap_value; break ;;
      esac
    done; } </proc/vmstat
}
swap_quiet() { # the host does not stall, and pages do not go in and out at once
  swap_full=
  { while read -r swap_key swap_value swap_rest; do
      [ "$swap_key" = full ] && swap_full=${swap_value#avg10=}
    done; } 2>/dev/null </proc/pressure/memory
  swap_in=0 swap_out=0
  swap_pages
  swap_in_before=$swap_in swap_out_before=$swap_out
  child sleep 1
  swap_pages
  if [ "${swap_full%%.*}" -ge 5 ] 2>/dev/null; then
    printf '%s\\n' "the host stalls: full memory pressure is $swap_full %" >&2
    return 4
  fi
  [ $((swap_in - swap_in_before)) -ge 16 ] && [ $((swap_out - swap_out_before)) -ge 16 ] || return 0
  printf '%s\\n' "the host thrashes: pages go in and out of swap" >&2
  return 4
}
swap_safely() { # FUNCTION ARGUMENT ...: a connection that is lost meanwhile does not end it half way
  trap '' HUP PIPE
  "$@"
  swap_result=$?
  trap - HUP PIPE
  return "$swap_result"
}
swap_off() { # NAME SECONDS: 0 it is off, 1 it is on as before, 124 the kernel is still at it
  {
    { [ -z "${shell_adj-}" ] || printf '%s\\n' "$shell_adj" >/proc/self/oom_score_adj; } 2>/dev/null
    exec swapoff "$1"
  } </dev/null >/dev/null 2>&1 &
  swap_process=$! swap_left=$2 swap_why=
  while kill -0 "$swap_process" 2>/dev/null; do
    swap_memory
    if [ -z "$swap_why" ]; then
      [ "$swap_left" -gt 0 ] || swap_why="it took longer than $2 s"
      [ "$swap_available" -ge $((swap_reserve / 2)) ] || swap_why="memory ran short meanwhile"
      [ -z "$swap_why" ] || { kill "$swap_process" 2>/dev/null; swap_left=30; }
    elif [ "$swap_left" -le 0 ]; then
      printf '\\n%s\\n' "the kernel still takes $1 off: $swap_why, and it does not stop" >&2
      return 124
    fi
    swap_left=$((swap_left - 1))
    child sleep 1
    printf .
  done
  wait "$swap_process"
  swap_status=$?
  swap_line "$1" || return 0
  printf '\\n%s\\n' "$1 stays swap: ${swap_why:-swapoff ended with status $swap_status}" >&2
  return 1
}
"""
)


def low_pressure(snapshot: Snapshot) -> Blocked | None:
    """Full memory pressure is below 5 %; without PSI there are no allocation stalls, as for every careful action."""
    blocked = guards.low_pressure(snapshot)
    full = snapshot.value("pressure.full.percent")
    if isinstance(full, Unavailable):
        full = snapshot.value("pressure.full.avg10")
    if blocked is not None or isinstance(full, Unavailable) or full < FULL_PRESSURE_LIMIT:
        return blocked
    return Blocked(
        f"full memory pressure is {full:.1f} %, {FULL_PRESSURE_LIMIT:.0f} % or more: the host is too busy for this",
        "wait until the shortage is over",
    )


def no_thrash(snapshot: Snapshot) -> Blocked | None:
    """Swap is not read and written at 256 KiB/s or more at once."""
    metrics = ("swap.in_bytes_per_second", "swap.out_bytes_per_second")
    blocked = guards.known(*metrics)(snapshot)
    if blocked is not None or any(snapshot.value(metric) < THRASHING for metric in metrics):
        return blocked
    return Blocked("the host thrashes: swap is read and written at once", "contain the largest service first")


def reserve(total_bytes: int) -> int:
    """What must stay available while swap is emptied, in bytes: a tenth of RAM, and at least 512 MiB."""
    return max(total_bytes // 10, LEAST_RESERVE)
