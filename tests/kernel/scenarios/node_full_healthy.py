"""One of two NUMA nodes is full of page cache, the other one is free; nobody waits: the next read goes to the other."""

from tests.kernel.lab.configuration import TWO_NODES
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, node_meminfo, pressure, rates, stalls
from tests.kernel.lab.scenario import HEALTHY, Scenario

NODE, OTHER = 0, 1
BEYOND_MIB = 32
FULL_PERCENT, FREE_PERCENT = 10, 50
AVAILABLE_PERCENT = 60
CALM_PERCENT = 0.5


def _prepare(guest: Guest) -> None:
    file_mib = node_meminfo(guest, NODE)["MemFree"] // 1024 + BEYOND_MIB
    guest.check(f"truncate --size={file_mib}M /var/tmp/big && taskset -c {NODE} cat /var/tmp/big >/dev/null")


def _reached(guest: Guest) -> bool:
    full, free = (
        100 * memory["MemFree"] / memory["MemTotal"] for memory in (node_meminfo(guest, n) for n in (NODE, OTHER))
    )
    calm = stalls(rates(guest)) == 0 and pressure(guest)["some"] < CALM_PERCENT
    return full < FULL_PERCENT and free > FREE_PERCENT and calm and available_percent(guest) > AVAILABLE_PERCENT


SCENARIO = Scenario(
    "node_full_healthy",
    f"page cache has filled node {NODE}, node {OTHER} is free, nobody waits",
    _prepare,
    _reached,
    HEALTHY,
    configuration=TWO_NODES,
)
