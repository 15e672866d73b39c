"""How risky a new value of a kernel parameter is on this host, or why it is refused."""

from __future__ import annotations

from collections.abc import Callable

from memrunbook.actions.shared import guards
from memrunbook.core.action.action import Blocked, Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, KIB, format_bytes

Judge = Callable[[Snapshot, int, int], Risk | Blocked]
"""Judges a step from the old to the new value."""

LEAST_AVAILABLE = 10.0
HARD_PERCENT, ADVISED_PERCENT, ADVISED_BYTES = 5.0, 3.0, GIB
COMMITTED_PERCENT = 80.0
ADMIN_RESERVE_KIB = 131072
STRICT = 2
EAGER_SWAPPINESS = 100
EAGER_CACHE_PRESSURE = 200


def harmless(_snapshot: Snapshot, _old: int, _new: int) -> Risk | Blocked:
    """Any value of the range costs performance at most."""
    return Risk.LOW


def swappiness(snapshot: Snapshot, _old: int, new: int) -> Risk | Blocked:
    """Above 100 only where swap is in memory; 0 risks OOM kills: nothing is swapped until file pages run out."""
    if new <= EAGER_SWAPPINESS:
        return Risk.LOW if new else Risk.MEDIUM
    if not guards.kernel_at_least(snapshot, 5, 8):
        return Blocked("values above 100 need Linux 5.8 or later", "choose 100 or less")
    in_memory = (snapshot.value("swap.zram_only"), snapshot.value("memory.zswap_bytes"))
    if any(value for value in in_memory if not isinstance(value, Unavailable)):
        return Risk.LOW
    return Blocked(
        "values above 100 are for swap in memory (zram, zswap), and this host's is not known to be", "<= 100"
    )


def cache_pressure(_snapshot: Snapshot, _old: int, new: int) -> Risk | Blocked:
    """Far above the default, looking up files slows down."""
    return Risk.LOW if new <= EAGER_CACHE_PRESSURE else Risk.MEDIUM


def raise_only(_snapshot: Snapshot, old: int, new: int) -> Risk | Blocked:
    """Lowering would break the next start of what needs the present value."""
    if new > old:
        return Risk.LOW
    return Blocked(f"{new} is less than {old}: what needs the present value could not start again", "it is only raised")


def reserve(snapshot: Snapshot, old: int, new: int) -> Risk | Blocked:
    """`vm.min_free_kbytes`: not below the kernel's default, not above 5 % of RAM, and 10 % must stay available."""
    blocked = guards.known("memory.total_bytes", "sysctl.min_free_default_kbytes")(snapshot)
    if blocked is not None:
        return blocked
    total, default = snapshot.value("memory.total_bytes"), snapshot.value("sysctl.min_free_default_kbytes")
    percent = 100.0 * new * KIB / total
    if new < default:
        return Blocked(f"{new} KiB is below the kernel's own default of {default} KiB", f"choose {default} or more")
    if percent > HARD_PERCENT:
        why = (
            f"{format_bytes(new * KIB)} is {percent:.1f} % of RAM; above {HARD_PERCENT:.0f} % the host may OOM at once"
        )
        return Blocked(why, f"stay below {ADVISED_PERCENT:.0f} % and {format_bytes(ADVISED_BYTES)}")
    advised = percent <= ADVISED_PERCENT and new * KIB <= ADVISED_BYTES
    return _room(snapshot, 4 * (new - old) * KIB) or (Risk.MEDIUM if advised else Risk.HIGH)


def watermarks(snapshot: Snapshot, old: int, new: int) -> Risk | Blocked:
    """`vm.watermark_scale_factor`: the gap between two watermarks in 1/10,000 of RAM; 10 % must stay available."""
    blocked = guards.known("memory.total_bytes")(snapshot)
    if blocked is not None:
        return blocked
    return _room(snapshot, 4 * (new - old) * snapshot.value("memory.total_bytes") // 10000) or Risk.LOW


def dirty_limit(key: str) -> Judge:
    """The judge of one of the four dirty limits."""

    def judge(snapshot: Snapshot, _old: int, new: int) -> Risk | Blocked:
        return dirty_limits(snapshot, {key: new})

    return judge


def dirty_limits(snapshot: Snapshot, new: dict[str, int]) -> Risk | Blocked:
    """Judges new dirty limits by key: background below the limit; writers block at once when over it."""
    blocked = guards.known("memory.available_bytes", "memory.dirty_bytes", *DIRTY)(snapshot)
    if blocked is not None:
        return blocked
    values = {name: snapshot.value(name) for name in DIRTY}
    values |= {_twin(f"sysctl.{key}"): 0 for key in new} | {f"sysctl.{key}": value for key, value in new.items()}
    background, limit = _dirty_bytes(snapshot, values, "_background"), _dirty_bytes(snapshot, values, "")
    if background >= limit:
        why = f"writing back would begin at {format_bytes(background)}, not below the limit of {format_bytes(limit)}"
        return Blocked(why, "the background value must be the smaller one")
    return Risk.MEDIUM if snapshot.value("memory.dirty_bytes") > limit else Risk.LOW


def overcommit_mode(snapshot: Snapshot, _old: int, new: int) -> Risk | Blocked:
    """Strict accounting (2) makes allocations fail; 1 lets everything through, and the OOM killer sorts it out."""
    if new != STRICT:
        return Risk.MEDIUM if new else Risk.LOW
    blocked = guards.known("memory.commit_limit_bytes", "sysctl.vm.admin_reserve_kbytes")(snapshot)
    if blocked is not None:
        return blocked
    if snapshot.value("sysctl.vm.admin_reserve_kbytes") < ADMIN_RESERVE_KIB:
        hint = f"first set vm.admin_reserve_kbytes to {ADMIN_RESERVE_KIB} or more"
        return Blocked("with strict accounting root could not log in when memory is promised out", hint)
    return _strict(snapshot, snapshot.value("memory.commit_limit_bytes"))


def overcommit_ratio(snapshot: Snapshot, old: int, new: int) -> Risk | Blocked:
    """Counts in mode 2 only: limit = (RAM - huge pages) x ratio + swap (Documentation/mm/overcommit-accounting)."""
    blocked = guards.known("memory.total_bytes", "hugepages.all_bytes")(snapshot)
    if blocked is not None:
        return blocked
    usable = snapshot.value("memory.total_bytes") - snapshot.value("hugepages.all_bytes")
    return _promise(snapshot, usable * new // 100, rises=0 < old < new)


def overcommit_kbytes(snapshot: Snapshot, old: int, new: int) -> Risk | Blocked:
    """Counts in mode 2 only: limit = kbytes + swap."""
    return _promise(snapshot, new * KIB, rises=0 < old < new)


def _promise(snapshot: Snapshot, own_bytes: int, *, rises: bool) -> Risk | Blocked:
    blocked = guards.known("sysctl.vm.overcommit_memory", "swap.total_bytes")(snapshot)
    if blocked is not None:
        return blocked
    if rises or snapshot.value("sysctl.vm.overcommit_memory") != STRICT:
        return Risk.LOW
    return _strict(snapshot, own_bytes + snapshot.value("swap.total_bytes"))


def _strict(snapshot: Snapshot, limit: int) -> Risk | Blocked:
    blocked = guards.known("memory.committed_bytes")(snapshot)
    if blocked is not None:
        return blocked
    committed = snapshot.value("memory.committed_bytes")
    if 100.0 * committed < COMMITTED_PERCENT * limit:
        return Risk.HIGH
    why = (
        f"{format_bytes(committed)} is promised already; the limit would be {format_bytes(limit)}: programs would fail"
    )
    return Blocked(why, f"it must be below {COMMITTED_PERCENT:.0f} % of the limit; add swap or stop services")


def _room(snapshot: Snapshot, taken: int) -> Blocked | None:
    # Available = free - reserve (the high watermarks) + file and slab, each less up to one low watermark: a reserve
    # raised by 1 raises high by 1.5 and low by 1.25, so in the worst case available falls by 4 (mm/show_mem.c).
    blocked = guards.known("memory.available_bytes")(snapshot)
    if blocked is not None or taken <= 0:
        return blocked
    predicted = 100.0 * (snapshot.value("memory.available_bytes") - taken) / snapshot.value("memory.total_bytes")
    if predicted >= LEAST_AVAILABLE:
        return None
    why = f"available memory would fall to {max(predicted, 0.0):.1f} % or so, below {LEAST_AVAILABLE:.0f} %"
    return Blocked(why, "choose a smaller value or free memory first")


DIRTY = (
    "sysctl.vm.dirty_ratio",
    "sysctl.vm.dirty_bytes",
    "sysctl.vm.dirty_background_ratio",
    "sysctl.vm.dirty_background_bytes",
)


def _twin(key: str) -> str:
    return key.replace("_ratio", "_bytes") if key.endswith("_ratio") else key.replace("_bytes", "_ratio")


def _dirty_bytes(snapshot: Snapshot, values: dict[str, int], which: str) -> int:
    fixed = values[f"sysctl.vm.dirty{which}_bytes"]
    return fixed or int(values[f"sysctl.vm.dirty{which}_ratio"] * snapshot.value("memory.available_bytes") / 100)
