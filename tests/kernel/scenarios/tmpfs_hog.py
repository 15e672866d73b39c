"""Nearly half of the memory is files of one tmpfs mount; nobody is short of memory yet."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

MOUNT = "/srv/scratch"
FILES_PERCENT = 45
HOG_PERCENT = 40
ENOUGH_PERCENT = 25


def _prepare(guest: Guest) -> None:
    files_kib = meminfo(guest)["MemTotal"] * FILES_PERCENT // 100
    guest.check(f"mkdir {MOUNT} && mount -t tmpfs -o size=60% scratch {MOUNT}")
    guest.check(f"fallocate --length {files_kib}K {MOUNT}/export")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    hogged = 100 * memory["Shmem"] / memory["MemTotal"] > HOG_PERCENT
    return hogged and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "tmpfs_hog",
    f"files in {MOUNT} hold more than {HOG_PERCENT} % of the memory",
    _prepare,
    _reached,
    Truth("memory-shortage", incident=False, checks=("shared-memory-hog",), cause=MOUNT),
)
