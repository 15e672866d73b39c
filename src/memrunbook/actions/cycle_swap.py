"""Brings cold pages back from one swap device: takes it off and on again, where memory has room for what is on it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, swaps
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD
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
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.core.units import MIB, format_bytes
from memrunbook.facts.swap import SwapDevice

WAIT = 1800
LITTLE = 16 * MIB
"""Less than this on the device is not worth it; as much may be on it again when it is looked at."""

SCRIPT = (
    swaps.OFF
    + swaps.ON
    + """\
act() { # DEVICE PRIORITY SECONDS
  swap_quiet && swap_fits "$1" || return
  if [ "$swap_priority" != "$2" ]; then
    printf '%s\\n' "$1 has priority $swap_priority by now, not $2: somebody else has changed it" >&2
    return 3
  fi
  swap_off "$1" "$3" || return
  swap_on "$1" "$2" && return 0
  printf '%s\\n' "$1 is OFF and could not be switched on again: run swapon $1" >&2
  return 1
}
swap_safely act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + swaps.LINE
    + swaps.ON
    + """\
take_back() { # DEVICE PRIORITY
  swap_line "$1" && return 0
  """
    + LOOK_ONLY
    + """\
  swap_on "$1" "$2"
}
take_back "$@"
"""
)


class CycleSwap(Action, frozen=True, kw_only=True):
    """Reads all that is on a swap device back into memory; after a shortage, where slow first touches matter."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "pressure", "swap", "vmstat")
    undo_mode: ClassVar[UndoMode] = "auto"
    moves: ClassVar[Moves | None] = {"swap.used_bytes": "down"}
    host_wide: ClassVar[bool] = True

    device: Annotated[str, Meta(description="the swap device or file, as in /dev/sda3")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where next to nothing is on it; blocked unless memory is calm and holds all of it with ease."""
        known = guards.known("memory.total_bytes", "memory.available_bytes", "swap.devices")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, known)
        if blocked is not None:
            return blocked
        devices: list[SwapDevice] = snapshot.value("swap.devices")
        device = next((device for device in devices if device.name == self.device), None)
        if device is None:
            names = ", ".join(clean(device.name) for device in devices) or "none"
            return Blocked(f"{clean(self.device)} is no swap in use", f"swap in use: {names}")
        if not swaps.PLAIN_NAME.fullmatch(device.name):
            return Blocked(f"{clean(device.name)} cannot be switched on again by its name", "act by hand")
        if device.used_bytes < LITTLE:
            return NotNeeded(f"{format_bytes(device.used_bytes)} are on {device.name}")
        calm = guards.first(snapshot, swaps.low_pressure, swaps.no_thrash)
        return calm or _too_full(snapshot, device) or self._change(snapshot, device)

    def _change(self, snapshot: Snapshot, device: SwapDevice) -> Change:
        name, priority = device.name, str(device.priority)
        with_priority = "" if device.priority < 0 else f"-p {priority} "
        return self.change(
            summary=f"Bring back {format_bytes(device.used_bytes)} from {name}: swap off and on",
            target=name,
            command=f"swapoff {name} && swapon {with_priority}{name}",
            identity=f"{name} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(name, priority, str(WAIT)),
            undo=Undo(f"{name} is switched on where it is off", UNDO, (name, priority)),
            costs="minutes, on a slow disk up to half an hour, in which there is less swap; if memory runs short "
            "meanwhile it is stopped, and the device stays as it was",
            verify=Verify(
                f"swap.devices.exists(d, d.name == target && d.used_bytes < {LITTLE}"
                f"{_same_priority(device)}) && memory.available_percent >= 10.0"
            ),
            timeout=WAIT + 90.0,
        )


def _same_priority(device: SwapDevice) -> str:
    """The kernel numbers automatic priorities downwards: they change."""
    return "" if device.priority < 0 else f" && d.priority == {device.priority}"


def _too_full(snapshot: Snapshot, device: SwapDevice) -> Blocked | None:
    available = snapshot.value("memory.available_bytes")
    reserve = swaps.reserve(snapshot.value("memory.total_bytes"))
    if available > device.used_bytes + reserve:
        return None
    return Blocked(
        f"{format_bytes(device.used_bytes)} are on {device.name} and {format_bytes(available)} are available, of which "
        f"{format_bytes(reserve)} must stay: the OOM killer would come",
        "cold pages do no harm in swap; free memory first if they must come back",
    )
