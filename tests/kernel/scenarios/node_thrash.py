"""A service bound to one of two NUMA nodes needs more than that has: it swaps without end, the other node is free."""

from tests.kernel.lab.configuration import TWO_NODES
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import node_meminfo, rates
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.swap_thrash import UNIT, overwork, swaps

NODE = 0
OTHER = 1
BEYOND_MIB = 80
FULL_PERCENT, FREE_PERCENT = 15, 30


def _prepare(guest: Guest) -> None:
    guest.enable_swap()
    beyond_mib = BEYOND_MIB - node_meminfo(guest, OTHER)["MemFree"] // 1024
    overwork(guest, beyond_mib, f"CPUAffinity={NODE}", "NUMAPolicy=bind", f"NUMAMask={NODE}")


def _reached(guest: Guest) -> bool:
    free = [100 * memory["MemFree"] / memory["MemTotal"] for memory in (node_meminfo(guest, n) for n in (NODE, OTHER))]
    return free[NODE] < FULL_PERCENT and free[OTHER] > FREE_PERCENT and swaps(guest, rates(guest))


SCENARIO = Scenario(
    "node_thrash",
    f"{UNIT} is bound to node {NODE}, which is full, while node {OTHER} is free",
    _prepare,
    _reached,
    Truth(
        "swap-thrashing",
        checks=("thrashing", "numa-imbalance"),
        cause="NUMA",
        says=(UNIT, "NUMA", f"node {NODE}"),
        allowed=("memory-shortage.numa-imbalance",),
    ),
    configuration=TWO_NODES,
)
