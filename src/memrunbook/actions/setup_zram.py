"""Sets up swap in compressed RAM (zram), used before any disk: two or three pages in the place of one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, swaps
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
    Concerns,
    Decision,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB, Size, format_bytes
from memrunbook.facts.swap import SwapDevice
from memrunbook.linux.swap_size import installed_ram

MARK = "/run/memrunbook.zram"
"""Names the device that we made, in this boot: the kernel chooses it, and the undo must not take another."""
PRIORITY = "100"
LARGEST_DEFAULT = 8 * GIB
SMALLEST = 16 * MIB
LEAST_AVAILABLE = 10.0
WAIT = 600

# An algorithm may be listed and yet fail, when the disk's size is set, where its module is missing: the next one then.
# Reading hot_add makes a device, so it is read once; kernels before 4.2 have the devices that the module made.
_DROP = """\
zram_drop() { # NAME
  { printf '1\\n' >"/sys/block/$1/reset"; } 2>/dev/null
  { printf '%s\\n' "${1#zram}" >/sys/class/zram-control/hot_remove; } 2>/dev/null
  child rm -f "$zram_mark"
}
"""
SCRIPT = (
    swaps.LINE
    + swaps.ON
    + _DROP
    + """\
zram_new() { # in zram_name a device that nobody uses
  [ -d /sys/class/zram-control ] || [ -d /sys/block/zram0 ] || child modprobe zram || return 1
  zram_id=0 zram_used=
  if [ -e /sys/class/zram-control/hot_add ]; then
    { read -r zram_id; } </sys/class/zram-control/hot_add || return 1
  fi
  zram_name=zram$zram_id
  { read -r zram_used; } <"/sys/block/$zram_name/initstate" && [ "$zram_used" = 0 ]
}
zram_sized() { # NAME BYTES
  for zram_algorithm in lz4 zstd lzo-rle lzo ''; do
    if [ -n "$zram_algorithm" ]; then
      { printf '%s\\n' "$zram_algorithm" >"/sys/block/$1/comp_algorithm"; } 2>/dev/null || continue
    fi
    { printf '%s\\n' "$2" >"/sys/block/$1/disksize"; } 2>/dev/null && return 0
  done
  printf '%s\\n' "$1 took no size: the kernel has none of its ways to compress" >&2
  return 1
}
zram_node() { # FILE: it appears a moment after the device
  for zram_try in 1 2 3 4 5; do
    [ -b "$1" ] && return 0
    child sleep 1
  done
  printf '%s\\n' "$1 did not appear" >&2
  return 1
}
zram_filled() { # NAME BYTES PRIORITY
  printf '%s %s\\n' "$1" "$2" >"$zram_mark" || return 1
  zram_sized "$1" "$2" && zram_node "/dev/$1" || return 1
  child mkswap "/dev/$1" >/dev/null && swap_on "/dev/$1" "$3"
}
act() { # BYTES PRIORITY MARK
  zram_mark=$3
  zram_zswap=N
  { read -r zram_zswap; } 2>/dev/null </sys/module/zswap/parameters/enabled
  if [ "$zram_zswap" != N ]; then
    printf '%s\\n' "zswap is on by now: pages would be compressed twice" >&2
    return 3
  fi
  if ! zram_new; then
    printf '%s\\n' "this kernel gives no zram device (module zram)" >&2
    return 1
  fi
  if zram_filled "$zram_name" "$1" "$2" || swap_line "/dev/$zram_name"; then
    printf '%s\\n' "/dev/$zram_name is swap, compressed with ${zram_algorithm:-what the kernel prefers}"
    return 0
  fi
  zram_drop "$zram_name"
  printf '%s\\n' "nothing was added" >&2
  return 1
}
act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + swaps.OFF
    + _DROP
    + """\
take_back() { # BYTES MARK SECONDS
  zram_mark=$2 zram_name= zram_size= zram_now=
  [ -e "$2" ] || return 0
  { read -r zram_name zram_size; } <"$2"
  { read -r zram_now; } 2>/dev/null <"/sys/block/$zram_name/disksize"
  if [ "$zram_size" != "$1" ] || [ "$zram_now" != "$1" ]; then
    printf '%s\\n' "$zram_name has ${zram_now:-no} bytes, not $1 as we left it: somebody else has changed it" >&2
    return 4
  fi
  if swap_line "/dev/$zram_name"; then
    swap_quiet && swap_fits "/dev/$zram_name" || return
    """
    + LOOK_ONLY
    + """\
    swap_off "/dev/$zram_name" "$3" || return
  fi
  """
    + LOOK_ONLY
    + """\
  zram_drop "$zram_name"
}
swap_safely take_back "$@"
"""
)


class SetupZram(Action, frozen=True, kw_only=True):
    """Makes one zram device and swaps to it first, until the next boot; blocked where zswap compresses already."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "swap", "zswap")
    undo_mode: ClassVar[UndoMode] = "offer"
    moves: ClassVar[Moves | None] = {"swap.total_bytes": "up"}
    only_target: ClassVar[str] = "zram"
    concerns: ClassVar[Concerns] = "adds swap"
    host_wide: ClassVar[bool] = True

    size: Annotated[
        Size | None, Meta(description="what it may hold, uncompressed; default: half of the RAM, at most 8 GiB")
    ] = None

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where there is swap on zram; blocked below 10 % available: it takes memory to give memory."""
        known = guards.known("memory.total_bytes", "memory.available_percent", "swap.devices")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, swaps.NO_QUORUM, known, _no_zswap, _memory_left)
        if blocked is not None:
            return blocked
        devices: list[SwapDevice] = snapshot.value("swap.devices")
        zram = next((device for device in devices if device.zram), None)
        if zram is not None:
            return NotNeeded(f"{zram.name} is swap in compressed memory already")
        ram = installed_ram(snapshot.value("memory.total_bytes"))
        size = (self.size or min(ram // 2, LARGEST_DEFAULT)) // MIB * MIB
        if not SMALLEST <= size <= 2 * ram:
            allowed = f"{format_bytes(SMALLEST)} to {format_bytes(2 * ram)}, twice the RAM"
            return Blocked(f"{format_bytes(size)} is no sensible size here", f"allowed: {allowed}")
        return self._change(snapshot, size)

    def _change(self, snapshot: Snapshot, size: int) -> Change:
        return self.change(
            summary=f"Add {format_bytes(size)} of swap in compressed memory, until the next boot",
            target=self.only_target,
            command=f"modprobe zram; zramctl --find --size {size}; mkswap and swapon -p {PRIORITY} that device",
            identity=f"zram {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(str(size), PRIORITY, MARK),
            undo=Undo(
                "the device is emptied and removed, where memory has room for what it holds",
                UNDO,
                (str(size), MARK, str(WAIT)),
                costs="what it holds must go into memory first, uncompressed, which can take minutes; it is refused "
                "where there is no room",
            ),
            costs="CPU for each page that goes in and out; data that does not compress takes RAM and gives none; it "
            "serves best with a vm.swappiness of 100 and more",
            verify=Verify(
                "swap.devices.exists(d, d.zram)"
                f" && swap.total_bytes - before.swap.total_bytes >= {size - swaps.PAGE_SLACK}"
            ),
            timeout=WAIT + 90.0,
        )


def _no_zswap(snapshot: Snapshot) -> Blocked | None:
    """Passes where zswap is off, or this kernel has none."""
    enabled = snapshot.value("zswap.enabled")
    if isinstance(enabled, Unavailable):
        return None if enabled.reason == "absent" else guards.known("zswap.enabled")(snapshot)
    if not enabled:
        return None
    why = "zswap is on: pages would be compressed twice"
    return Blocked(why, "zswap does the same in front of a swap file; switch it off if zram is preferred")


def _memory_left(snapshot: Snapshot) -> Blocked | None:
    percent = snapshot.value("memory.available_percent")
    if percent >= LEAST_AVAILABLE:
        return None
    why = f"{percent:.1f} % of memory is available, less than {LEAST_AVAILABLE:.0f} %: it takes memory to give memory"
    return Blocked(why, "contain the largest service first, or add a swap file")
