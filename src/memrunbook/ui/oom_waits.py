"""Who waited for memory, and which caches of the kernel could not grow: with what held them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.oomlog.caches import CacheFailure
from memrunbook.linux.oomlog.event import AllocationStall, KernelLog
from memrunbook.linux.oomlog.hung import HungTask
from memrunbook.linux.oomlog.stalls import RESERVE_TOO_LARGE, reserve_share, starved, unwritten_kib
from memrunbook.linux.zones import PageRequest
from memrunbook.ui.block import BLANK, Block, Grid, Row, Span, line, row
from memrunbook.ui.words import plural

MOST_CACHES = 5
MOST_ZONES = 2
USUAL_RESERVE = 0.01
MILLISECONDS = 1000
WAITS = {
    "reclaim": "for memory to be reclaimed",
    "swap": "for a page from swap: the swap disk is slow, or does not answer",
    "writeback": "until written pages reach the disk: the disk is slow, or takes nothing",
}
LIMITED = (
    "its control group may have no more: its limit (memory.max, memory.kmem.limit_in_bytes), or the caches that kernels"
    " 3.10 to 4.x keep of dead groups; the host need not be short"
)


def wait_blocks(log: KernelLog, most: int) -> list[Block]:
    """Stalls, tasks that hung for want of memory, and caches, each with its newest."""
    return [*_stalls(log.stalls, most), *_hung(log.hung, most), *_caches(log)]


def tasks(stalls: Sequence[AllocationStall]) -> int:
    """How many waited: one that waits on is told again every ten seconds."""
    return len({(stall.name, stall.pid) for stall in stalls})


def longest(stalls: Sequence[AllocationStall]) -> str:
    """The longest wait."""
    return f"{max(stall.waited_ms for stall in stalls) / MILLISECONDS:,.1f} s"


def cache_names(log: KernelLog) -> str:
    """The caches and whose they were, for a headline; empty where the log names none."""
    names = Counter(one.label for one in log.caches if one.cache)
    more = f", {len(names) - 1:,} more" if len(names) > 1 else ""
    return f": {names.most_common(1)[0][0]}{more}" if names else ""


def _stalls(stalls: Sequence[AllocationStall], most: int) -> list[Block]:
    if not stalls:
        return []
    shown = stalls[max(0, len(stalls) - most) :]
    rows = [row(_when(one), body=_waited(one)) for one in shown]
    title = f"{plural(tasks(stalls), 'task')} waited up to {longest(stalls)} for memory"
    judged = _judged(shown)
    return [BLANK, line(Span(title, "strong")), Grid(tuple(rows)), *([Grid(tuple(judged))] if judged else [])]


def _when(one: AllocationStall | HungTask) -> str:
    when = one.date or ("" if one.stamp is None else f"{one.stamp:,.1f} s")
    return f"{when}  {one.name}{'' if one.pid is None else f', pid {one.pid}'}".strip()


def _waited(stall: AllocationStall) -> str:
    kind = (stall.flags or "").partition("|")[0]
    flags = f" ({kind})" if kind.startswith("GFP_") else ""
    return f"waited {stall.waited_ms / MILLISECONDS:,.1f} s for {plural(1 << min(stall.order, 63), 'page')}{flags}"


def _judged(stalls: Sequence[AllocationStall]) -> list[Row]:
    """What the newest memory report says of them."""
    reported = next((one for one in reversed(stalls) if one.zones), None)
    if reported is None:
        return []
    said = _zones(reported)
    swap = reported.total_swap_kib
    if swap:
        said += f"; swap: {_size(reported.free_swap_kib or 0)} of {_size(swap)} are free"
    return [row(Span("Why", "strong"), body=said), *(_unwritten(reported) or _reserve(reported))]


def _unwritten(stall: AllocationStall) -> list[Row]:
    """File pages that nobody can have before the disk took them."""
    size = unwritten_kib(stall)
    if not size:
        return []
    words = (
        f"{_size(size)} of file pages wait for the disk: find the slow disk or NFS server, and who writes so much;"
        " smaller vm.dirty_bytes and vm.dirty_background_bytes make the writer wait instead of all; more RAM changes"
        " nothing"
    )
    return [row(Span("Helps", "strong"), body=words)]


def _zones(stall: AllocationStall) -> str:
    below = sorted(starved(stall), key=lambda zone: zone.free_kib - zone.min_kib)[:MOST_ZONES]
    if not below:
        return "every zone had more free than must stay: it waited for a disk or a lock, not for a free page"
    parts = [f"{zone.name}: {_size(zone.free_kib)} free, {_size(zone.min_kib)} must stay" for zone in below]
    return f"less was free than must stay (zone {'; '.join(parts)})"


def _reserve(stall: AllocationStall) -> list[Row]:
    share = reserve_share(stall)
    if share is None or not starved(stall):
        return []
    if share <= RESERVE_TOO_LARGE:
        return [row(Span("Helps", "strong"), body="memory was short: limit or restart what grew, more RAM")]
    usual = sum(zone.min_kib for zone in stall.zones) / share * USUAL_RESERVE
    words = (
        f"vm.min_free_kbytes keeps {share * 100:.1f} % of RAM back, far too much: about {_size(int(usual))} (1 %) do;"
        " lower it, more swap or RAM changes nothing"
    )
    return [row(Span("Helps", "strong"), body=words)]


def _hung(hung: Sequence[HungTask], most: int) -> list[Block]:
    if not hung:
        return []
    shown = hung[max(0, len(hung) - most) :]
    rows = [row(_when(one), body=f"{one.seconds:,} s and more, {WAITS[one.waits]} ({one.frame})") for one in shown]
    title = f"{plural(len({one.pid for one in hung}), 'task')} hung while the kernel looked for memory"
    return [BLANK, line(Span(title, "strong")), Grid(tuple(rows))]


def _caches(log: KernelLog) -> list[Block]:
    kinds = Counter((one.label, one.group_id is not None, _atomic(one)) for one in log.caches if one.cache)
    rows = [
        row(Span(f"{count:,}x", "strong"), body=f"{name}: {LIMITED if group else _short(atomic=atomic)}")
        for (name, group, atomic), count in kinds.most_common(MOST_CACHES)
    ]
    title = "Caches of the kernel that could not grow"
    return [BLANK, line(Span(title, "strong")), Grid(tuple(rows))] if rows else []


def _atomic(one: CacheFailure) -> bool:
    return PageRequest(gfp=one.mode or None, flags=one.flags).atomic


def _short(*, atomic: bool) -> str:
    wanted = "it could not wait for a page: a burst, or vm.min_free_kbytes is small"
    return wanted if atomic else "no page was left for it: see the failed allocations beside it"


def _size(kib: int) -> str:
    return format_bytes(kib * KIB)
