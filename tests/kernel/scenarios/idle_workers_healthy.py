"""Many idle processes of a service share one segment, all of which they touched: their page tables are small."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario

PROCESSES, SEGMENT_MIB = 100, 48
TABLES_PERCENT = 2, 6
DATA_PERCENT = 8
AVAILABLE_PERCENT = 50


def _prepare(guest: Guest) -> None:
    guest.install("crowd")
    guest.start_service("workers", f"/usr/local/bin/crowd {PROCESSES} {SEGMENT_MIB} 4")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    tables, data = (100 * memory[field] / memory["MemTotal"] for field in ("PageTables", "Shmem"))
    least, most = TABLES_PERCENT
    return least < tables < most and data > DATA_PERCENT and available_percent(guest) > AVAILABLE_PERCENT


SCENARIO = Scenario("idle_workers_healthy", f"{PROCESSES} idle processes share {SEGMENT_MIB} MiB", _prepare, _reached)
