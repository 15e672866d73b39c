"""A third of the memory is free, in single pages, while a service asks for huge ones; compaction cures it."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, unusable_index, vmstat
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

UNUSABLE = 0.95
FREE_PERCENT = 20
LEAVE_MIB = 16
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"


def _prepare(guest: Guest) -> None:
    guest.install("fragment")
    guest.install("huge")
    # With its default, 20, the kernel itself compacts from 1.0 down to 0.8 within seconds.
    guest.check("sysctl -q vm.compaction_proactiveness=0")
    guest.start_service("fragment", f"/usr/local/bin/fragment {LEAVE_MIB}")
    wait_until(lambda: _fragmented(guest), seconds=180, what="free memory in single pages")
    # Below 512 MiB of memory the kernel switches huge pages off; a server has them on.
    guest.check(f"echo always >{_HUGE_PAGES}")
    guest.start_service("hugeheap", "/usr/local/bin/huge")


def _fragmented(guest: Guest) -> bool:
    memory = meminfo(guest)
    return unusable_index(guest) >= UNUSABLE and 100 * memory["MemFree"] / memory["MemTotal"] > FREE_PERCENT


def _reached(guest: Guest) -> bool:
    return _fragmented(guest) and vmstat(guest)["thp_fault_fallback"] > 0


SCENARIO = Scenario(
    "fragmentation",
    "free memory in single pages, huge ones refused",
    _prepare,
    _reached,
    Truth("memory-fragmentation", checks=("huge-starved",), allowed=("memory-fragmentation.compaction-fails",)),
)
