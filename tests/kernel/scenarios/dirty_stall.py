"""A service writes much faster than its disk takes it: dirty pages stand at the limit and writers wait."""

from tests.kernel.lab.guest import SWAP_DEVICE, Guest
from tests.kernel.lab.readings import pressure, vmstat
from tests.kernel.lab.scenario import Scenario, Truth

DISK = SWAP_DEVICE  # not used for swap here
UNIT = "importer.service"
PRESSURE_PERCENT = 20
# Again and again the same file: the disk does not fill up.
_WRITE = "/bin/sh -c 'while :; do dd if=/dev/zero of=/srv/data/import bs=1M count=300 conv=notrunc status=none; done'"


def _prepare(guest: Guest) -> None:
    guest.check(f"mkfs.ext4 -q {DISK} && mkdir /srv/data && mount {DISK} /srv/data")
    guest.start_service("importer", _WRITE, f"IOWriteBandwidthMax={DISK} 2M")


def _reached(guest: Guest) -> bool:
    counters = vmstat(guest)
    pending = counters["nr_dirty"] + counters["nr_writeback"]
    ceiling = (counters["nr_dirty_threshold"] + counters["nr_dirty_background_threshold"]) / 2
    return pending >= ceiling and pressure(guest, "io")["full"] >= PRESSURE_PERCENT


SCENARIO = Scenario(
    "dirty_stall",
    f"{UNIT} waits for a disk that takes 2 MB/s",
    _prepare,
    _reached,
    Truth("writeback-stall", checks=("throttled",), cause=UNIT, allowed=("writeback-stall.stalled",)),
)
