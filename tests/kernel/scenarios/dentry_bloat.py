"""A service asked for hundreds of thousands of files that do not exist; the kernel remembers each answer."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

BLOAT_PERCENT = 30
ENOUGH_PERCENT = 40
NAMES = 800_000
SEARCHED = "/srv/spool"


def _prepare(guest: Guest) -> None:
    guest.install("names")
    guest.check(f"mkdir {SEARCHED}")
    guest.start_service("indexer", f"/usr/local/bin/names {SEARCHED} {NAMES}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    negative = int(guest.check("cat /proc/sys/fs/dentry-state").split()[4])
    bloated = 100 * memory["SReclaimable"] / memory["MemTotal"] > BLOAT_PERCENT
    return bloated and negative >= NAMES and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "dentry_bloat",
    f"negative dentries hold more than {BLOAT_PERCENT} % of the memory",
    _prepare,
    _reached,
    Truth("memory-shortage", incident=False, checks=("dentry-bloat",), cause="dentry"),
)
