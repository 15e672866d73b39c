"""A database works in the pool of huge pages that was reserved for it: hardly any is idle."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario

POOL_PERCENT = 45
SPARE = 2
"""Huge pages of the pool that are not the database's: less than a hundredth of the memory."""
AVAILABLE_PERCENT = 25


def _prepare(guest: Guest) -> None:
    guest.install("pool")
    memory = meminfo(guest)
    guest.check(f"sysctl -q vm.nr_hugepages={memory['MemTotal'] * POOL_PERCENT // 100 // memory['Hugepagesize']}")
    memory = meminfo(guest)
    used = memory["HugePages_Total"] - SPARE
    guest.start_service("database", f"/usr/local/bin/pool {used * memory['Hugepagesize'] // 1024}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    pool = 100 * memory["Hugetlb"] / memory["MemTotal"] > POOL_PERCENT - 2
    return pool and memory["HugePages_Free"] <= SPARE and available_percent(guest) > AVAILABLE_PERCENT


SCENARIO = Scenario(
    "hugepages_used_healthy", "a database uses the pool of huge pages that was made for it", _prepare, _reached
)
