"""Most memory is free, in runs of three pages between pages that the kernel cannot move: compaction is no cure."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, rates, unusable_index
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

UNUSABLE = 0.95
PINNED = 0.8
FREE_PERCENT = 40
LEAVE_MIB = 16
HELD = 64
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"


def _prepare(guest: Guest) -> None:
    guest.install("pin")
    guest.install("huge")
    guest.start_service("pin", f"/usr/local/bin/pin {LEAVE_MIB}")
    wait_until(lambda: _fragmented(guest, PINNED), seconds=180, what="free memory between pinned pages")
    guest.check("echo 1 >/proc/sys/vm/compact_memory")
    # Below 512 MiB of memory the kernel switches huge pages off; a server has them on.
    guest.check(f"echo always >{_HUGE_PAGES}")
    # It takes and holds the last blocks without a pinned page; where none is left it gets single pages.
    guest.start_service("hugeheap", f"/usr/local/bin/huge {HELD}")


def _fragmented(guest: Guest, unusable: float) -> bool:
    memory = meminfo(guest)
    return unusable_index(guest) >= unusable and 100 * memory["MemFree"] / memory["MemTotal"] > FREE_PERCENT


def _reached(guest: Guest) -> bool:
    return _fragmented(guest, UNUSABLE) and rates(guest)["thp_fault_fallback"] > 0


SCENARIO = Scenario(
    "fragmentation_pinned",
    "free memory between pinned pages, huge ones refused, compacted in vain",
    _prepare,
    _reached,
    Truth(
        "memory-fragmentation",
        checks=("huge-starved",),
        beside=("preventive-maintenance",),
        allowed=("memory-fragmentation.compaction-fails",),
    ),
)
