"""Adds a swap file: it gains time before the OOM killer comes, and takes up pages that nobody uses."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
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
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB, Size, format_bytes
from memrunbook.facts.swap import SwapDevice
from memrunbook.linux.swap_size import Policy, installed_ram, recommended_swap

DEFAULT = "/swapfile-runbook"
PRIORITY = "10"
SMALLEST = 16 * MIB
NEARLY = 0.95
LARGE = 64 * GIB
CLEANED_UP = ("/tmp/", "/var/tmp/", "/run/", "/dev/", "/proc/", "/sys/")  # noqa: S108  they are refused
WRITTEN_PER_SECOND = 10 * MIB

# Magic numbers of statfs(2): ext2, ext3 and ext4 have one in common. btrfs wants a file without copy-on-write and no
# snapshots of it; swap on tmpfs, overlayfs, NFS, ZFS or FUSE fails or ends in a deadlock.
# The new file is made beside its place where none is (O_EXCL: also no link leads elsewhere), readable by root only from
# its first byte on, and gets its name when it is a swap area. So a file of that name and size is whole, also after a
# reboot or a run that was cut off; what is half made has a name that is only ours, and whoever comes next removes it.
AT_BOOT = """\
swap_at_boot() { # FILE: /etc/fstab names it
  { while read -r swap_entry swap_rest; do
      [ "$swap_entry" = "$1" ] && return 0
    done; } 2>/dev/null </etc/fstab
  return 1
}
"""
SCRIPT = (
    AT_BOOT
    + swaps.LINE
    + swaps.ON
    + """\
swap_tools() {
  for swap_tool in mkswap swapon; do
    command -v "$swap_tool" >/dev/null 2>&1 && continue
    printf '%s\\n' "there is no $swap_tool on this host: nothing was done" >&2
    return 1
  done
}
swap_place() { # FILE: in a folder of root's
  swap_folder=${1%/*}
  swap_folder=${swap_folder:-/}
  [ -d "$swap_folder" ] && [ -O "$swap_folder" ] && return 0
  printf '%s\\n' "$swap_folder is no folder of root's" >&2
  return 1
}
swap_room() { # FILE MIB: after swap_place; on ext4 or xfs with so much room, and a tenth or 1 GiB to spare
  set -- "$1" "$2" $(child stat -f -c '%t %S %b %a' "$swap_folder")
  case ${3-} in
    ef53 | 58465342) ;;
    *) printf '%s\\n' "$swap_folder is not on ext4 or xfs (file system type ${3:-unknown}): no place for swap" >&2
      return 1 ;;
  esac
  swap_all=$(($5 / (1048576 / $4))) swap_free=$(($6 / (1048576 / $4)))
  swap_spare=$((swap_all / 10))
  [ "$swap_spare" -ge 1024 ] || swap_spare=1024
  [ "$swap_free" -ge $(($2 + swap_spare)) ] && return 0
  printf '%s\\n' "$swap_folder has $swap_free MiB free: $2 MiB of swap would not leave $swap_spare MiB" >&2
  return 1
}
swap_again() { # FILE MIB PRIORITY: the file of an earlier run
  if [ -L "$1" ] || [ ! -f "$1" ] || [ "$(child stat -c '%s %u %a' "$1")" != "$(($2 * 1048576)) 0 600" ]; then
    printf '%s\\n' "$1 exists already and is no swap file of $2 MiB that only root may read: name another path" >&2
    return 3
  fi
  swap_on "$1" "$3" && return 0
  printf '%s\\n' "$1 exists already and cannot be used as swap: remove it, or name another path" >&2
  return 3
}
swap_begun() { # FILE
  child rm -f "$1.runbook-new"
  ( set -C; umask 077; printf '' >"$1.runbook-new" ) && return 0
  printf '%s\\n' "$1.runbook-new cannot be made" >&2
  return 1
}
swap_made() { # FILE: the new file is a swap area from now on, and has its name
  child chmod 600 "$1.runbook-new" && child mkswap "$1.runbook-new" >/dev/null && child mv "$1.runbook-new" "$1"
}
swap_added() { # FILE MIB PRIORITY
  swap_begun "$1" || return
  if child fallocate -l "$(($2 * 1048576))" "$1.runbook-new" 2>/dev/null; then
    swap_made "$1" || return
    swap_on "$1" "$3" 2>/dev/null && return 0
    swap_line "$1" && return 0
    child rm -f "$1"
  fi
  printf '%s\\n' "$1 is written in full: what was reserved only cannot be used here"
  swap_begun "$1" && child dd if=/dev/zero of="$1.runbook-new" bs=1M count="$2" conv=fsync &&
    swap_made "$1" && swap_on "$1" "$3"
}
swap_keep() { # FILE PRIORITY: one line in /etc/fstab; with nofail a boot without the file goes on
  swap_at_boot "$1" && return 0
  child rm -f /etc/fstab.runbook-new
  { [ ! -e /etc/fstab ] || child cp -p /etc/fstab /etc/fstab.runbook-new; } &&
    { while IFS= read -r swap_entry || [ -n "$swap_entry" ]; do printf '%s\\n' "$swap_entry"; done </etc/fstab
      printf '%s none swap sw,pri=%s,nofail 0 0\\n' "$1" "$2"
    } 2>/dev/null >/etc/fstab.runbook-new && child mv -f /etc/fstab.runbook-new /etc/fstab && return 0
  child rm -f /etc/fstab.runbook-new
  printf '%s\\n' "$1 is in use, but /etc/fstab could not be written: the next boot goes without it" >&2
  return 1
}
act() { # FILE MIB PRIORITY [keep]
  swap_act "$1" "$2" "$3" || return
  [ "${4-}" != keep ] || swap_keep "$1" "$3"
}
swap_act() { # FILE MIB PRIORITY
  swap_tools && swap_place "$1" || return
  child rm -f "$1.runbook-new"
  if [ -e "$1" ] || [ -L "$1" ]; then
    swap_again "$1" "$2" "$3"
    return
  fi
  swap_room "$1" "$2" || return
  swap_added "$1" "$2" "$3" && return 0
  swap_line "$1" && return 0
  child rm -f "$1" "$1.runbook-new"
  printf '%s\\n' "nothing was added, $1 is removed" >&2
  return 1
}
act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + AT_BOOT
    + swaps.OFF
    + """\
swap_kept() { # LINE: /etc/fstab has it as we wrote it
  { while IFS= read -r swap_entry || [ -n "$swap_entry" ]; do
      [ "$swap_entry" = "$1" ] && return 0
    done; } 2>/dev/null </etc/fstab
  return 1
}
swap_forget() { # LINE: out of /etc/fstab, where it stands as we wrote it
  child cp -p /etc/fstab /etc/fstab.runbook-new &&
    while IFS= read -r swap_entry || [ -n "$swap_entry" ]; do
      [ "$swap_entry" = "$1" ] || printf '%s\\n' "$swap_entry"
    done </etc/fstab >/etc/fstab.runbook-new && child mv -f /etc/fstab.runbook-new /etc/fstab && return 0
  printf '%s\\n' "/etc/fstab could not be written: it still names the swap file" >&2
  return 1
}
take_back() { # FILE MIB SECONDS [LINE]
  if swap_line "$1"; then
    if [ "$swap_size" -gt "$(($2 * 1024))" ] || [ "$swap_size" -lt "$(($2 * 1024 - 64))" ]; then
      printf '%s\\n' "$1 has $swap_size KiB, not $2 MiB as we left it: somebody else has changed it" >&2
      return 4
    fi
    swap_quiet && swap_fits "$1" || return
    """
    + LOOK_ONLY
    + """\
    swap_off "$1" "$3" || return
  fi
  [ -n "${mrb_look-}" ] || child rm -f "$1.runbook-new" || return 1
  [ -e "$1" ] || return 0
  if [ -L "$1" ] || [ "$(child stat -c '%s %u' "$1")" != "$(($2 * 1048576)) 0" ]; then
    printf '%s\\n' "$1 is not the file that we left: somebody else has changed it" >&2
    return 4
  fi
  if [ -n "${4-}" ] && swap_kept "$4"; then
    """
    + LOOK_ONLY
    + """\
    swap_forget "$4" || return
  fi
  if swap_at_boot "$1"; then
    printf '%s\\n' "$1 is off, but stays, as /etc/fstab names it: the next boot would fail without it"
    return 0
  fi
  """
    + LOOK_ONLY
    + """\
  child rm -f "$1"
}
swap_safely take_back "$@"
"""
)


class AddSwapFile(Action, frozen=True, kw_only=True):
    """Makes a file on ext4 or xfs and swaps to it until the next boot, with `persist` for good; no cure for leaks."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "swap")
    undo_mode: ClassVar[UndoMode] = "offer"
    moves: ClassVar[Moves | None] = {"swap.total_bytes": "up"}
    concerns: ClassVar[Concerns] = "adds swap"
    host_wide: ClassVar[bool] = True

    path: Annotated[str, Meta(description="the file; one of this size that is there already is used")] = DEFAULT
    size: Annotated[
        Size | None, Meta(description="its size; default: what is missing by the sizing rule for the RAM")
    ] = None
    rule: Annotated[
        Policy, Meta(description="above 8 GiB of RAM: 8 GiB, half the RAM, the smaller or the larger of the two")
    ] = msgspec.field(default="fixed8", name="policy")
    persist: Annotated[bool, Meta(description="use it after a reboot too: a line in /etc/fstab")] = False

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where the file is in use or swap suits the RAM; blocked where more would only prolong a stall."""
        known = guards.known("memory.total_bytes", "swap.total_bytes", "swap.devices")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, swaps.NO_QUORUM, known) or self._misplaced()
        if blocked is not None:
            return blocked
        devices: list[SwapDevice] = snapshot.value("swap.devices")
        if any(device.name == self.path for device in devices):
            return NotNeeded(f"{self.path} is swap already")
        ram, total = snapshot.value("memory.total_bytes"), snapshot.value("swap.total_bytes")
        wanted = recommended_swap(ram, self.rule)
        if self.size is None and total >= NEARLY * wanted:
            return NotNeeded(f"there are {format_bytes(total)} of swap, and {format_bytes(wanted)} suit this host")
        size = -(-(self.size or max(wanted - total, SMALLEST)) // MIB) * MIB
        return _unsuitable(size, total, ram) or self._change(snapshot, size)

    def _misplaced(self) -> Blocked | None:
        parts = self.path.split("/")
        plain = swaps.PLAIN_NAME.fullmatch(self.path) and not {".", ".."} & set(parts)
        if plain and not self.path.startswith(CLEANED_UP):
            return None
        why = "the path must be a whole one of letters, digits and . _ + - only, and in no folder that is cleaned up"
        return Blocked(why, f"the default is {DEFAULT}")

    def _change(self, snapshot: Snapshot, size: int) -> Change:
        mib = size // MIB
        seconds = 60 + size // WRITTEN_PER_SECOND
        line = f"{self.path} none swap sw,pri={PRIORITY},nofail 0 0"
        return self.change(
            summary=f"Add {format_bytes(size)} of swap in {self.path}, "
            f"{'also after a reboot' if self.persist else 'until the next boot'}",
            target=self.path,
            command=f"fallocate -l {mib}M {self.path}; mkswap {self.path}; swapon -p {PRIORITY} {self.path}"
            + f"; echo '{line}' >> /etc/fstab" * self.persist,
            identity=f"{self.path} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(self.path, str(mib), PRIORITY, *(["keep"] if self.persist else [])),
            undo=Undo(
                f"{self.path} is emptied where memory has room for that, and removed unless /etc/fstab names it",
                UNDO,
                (self.path, str(mib), str(seconds), *([line] if self.persist else [])),
                costs="what is on it must go into memory first, which can take minutes; where there is no room it is "
                "refused; the host has less swap afterwards",
                lasting=True,
            ),
            costs=f"{format_bytes(size)} of disk; on a slow disk an OOM kill may become a long stall; what is swapped "
            "out stays readable on the disk"
            + ("" if self.persist else "; it is gone after a boot unless /etc/fstab names it"),
            verify=Verify(
                "swap.devices.exists(d, d.name == target)"
                f" && swap.total_bytes - before.swap.total_bytes >= {size - swaps.PAGE_SLACK}"
            ),
            timeout=seconds + 120.0,
        )


def _unsuitable(size: int, total: int, ram: int) -> Blocked | None:
    """Too little to matter, or more than twice the RAM (above 32 GiB of RAM: than 64 GiB or half of it)."""
    installed = installed_ram(ram)
    most = min(2 * installed, max(LARGE, installed // 2))
    if size < SMALLEST:
        return Blocked(f"{format_bytes(size)} of swap change nothing", f"the least is {format_bytes(SMALLEST)}")
    if total + size <= most:
        return None
    return Blocked(
        f"{format_bytes(total)} and {format_bytes(size)} of swap are more than {format_bytes(most)}, the most for this "
        "RAM: the host would stall for long before anything gives way",
        "add memory, or name a smaller size",
    )
