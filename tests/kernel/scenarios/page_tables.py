"""Very many processes map one shared segment with small pages: their page tables cost far more than its data."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, unit_bytes
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "database.service"
PROCESSES, SEGMENT_MIB, STRIDE_KIB = 120, 512, 2048
TABLES_PERCENT = 20
DATA_PERCENT = 5


def _prepare(guest: Guest) -> None:
    guest.install("crowd")
    guest.start_service("database", f"/usr/local/bin/crowd {PROCESSES} {SEGMENT_MIB} {STRIDE_KIB}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    tables, data = (100 * memory[field] / memory["MemTotal"] for field in ("PageTables", "Shmem"))
    charged = unit_bytes(guest, UNIT) / 1024 > memory["PageTables"] / 2
    return tables > TABLES_PERCENT and data < DATA_PERCENT and charged


SCENARIO = Scenario(
    "page_tables",
    f"page tables of {PROCESSES} processes over one segment hold more than {TABLES_PERCENT} % of the memory",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        incident=False,
        checks=("page-tables",),
        cause="page tables",
        says=("page tables", UNIT),
        targets=(),
    ),
)
