"""A program left its System V shared memory behind when it ended: memory that belongs to nobody."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

SEGMENT_PERCENT = 30
LEFT_PERCENT = 25
ENOUGH_PERCENT = 40


def _prepare(guest: Guest) -> None:
    guest.install("shm")
    guest.check(f"shm {meminfo(guest)['MemTotal'] * SEGMENT_PERCENT // 100 // 1024}")


def _reached(guest: Guest) -> bool:
    names, *rows = (line.split() for line in guest.check("cat /proc/sysvipc/shm").splitlines())
    segments = [dict(zip(names, map(int, row), strict=True)) for row in rows]
    left_kib = sum(segment["rss"] for segment in segments if segment["nattch"] == 0) / 1024
    return 100 * left_kib / meminfo(guest)["MemTotal"] > LEFT_PERCENT and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "shm_left",
    f"a shared memory segment that nobody uses holds more than {LEFT_PERCENT} % of the memory",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        incident=False,
        checks=("shm-left",),
        cause="segment",
        allowed=("memory-shortage.shared-memory-hog",),
    ),
)
