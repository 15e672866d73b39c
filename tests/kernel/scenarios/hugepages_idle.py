"""A pool of huge pages that nobody uses takes half of the memory from a service; what is left is little but enough."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

POOL_PERCENT = 50
IDLE_PERCENT = 40
LEFT_AVAILABLE_PERCENT = 15
LOW_PERCENT = 20
STARVING_PERCENT = 8


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.enable_swap()
    memory = meminfo(guest)
    pool_kib = memory["MemTotal"] * POOL_PERCENT // 100
    guest.check(f"sysctl -q vm.nr_hugepages={pool_kib // memory['Hugepagesize']}")
    memory = meminfo(guest)
    fill_kib = memory["MemAvailable"] - memory["MemTotal"] * LEFT_AVAILABLE_PERCENT // 100
    guest.start_service("worker", f"/usr/local/bin/leak -f {fill_kib // 1024}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    idle_kib = (memory["HugePages_Free"] - memory["HugePages_Rsvd"]) * memory["Hugepagesize"]
    idle = 100 * idle_kib / memory["MemTotal"] > IDLE_PERCENT
    return idle and STARVING_PERCENT < available_percent(guest) < LOW_PERCENT


SCENARIO = Scenario(
    "hugepages_idle",
    f"idle huge pages hold more than {IDLE_PERCENT} % of the memory",
    _prepare,
    _reached,
    Truth("memory-shortage", incident=False, checks=("hugepages-idle",), cause="huge pages"),
)
