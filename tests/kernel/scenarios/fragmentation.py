"""A third of the memory is free, in single pages, while a service asks for huge ones; compaction cures it."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, unusable_index, vmstat
from tests.kernel.lab.scenario import Scenario

UNUSABLE = 0.95
FREE_PERCENT = 20
LEAVE_MIB = 10
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"


def _prepare(guest: Guest) -> None:
    guest.install("fragment")
    guest.install("huge")
    # As on a host of many months: nobody compacts on his own while the state is being looked at.
    guest.check("sysctl -q vm.compaction_proactiveness=0")
    guest.check(f"echo never >{_HUGE_PAGES}/defrag; echo 0 >{_HUGE_PAGES}/khugepaged/defrag")
    guest.start_service("fragment", f"/usr/local/bin/fragment {LEAVE_MIB}")
    guest.start_service("hugeheap", "/usr/local/bin/huge")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    refused = vmstat(guest)["thp_fault_fallback"]
    free_percent = 100 * memory["MemFree"] / memory["MemTotal"]
    return unusable_index(guest) >= UNUSABLE and free_percent > FREE_PERCENT and refused > 0


SCENARIO = Scenario("fragmentation", "free memory in single pages, huge ones refused", _prepare, _reached)
