"""A service holds nearly all memory in a memfd that it has not mapped: in no process, and in no mounted tmpfs."""

from tests.kernel.lab.configuration import ROOMY
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, unit_statistics
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.refilling_service import LEFT_PERCENT, short, starve

UNIT = "broker.service"
SHARE_PERCENT = 50


def _prepare(guest: Guest) -> None:
    guest.install("hold")
    starve(guest)
    guest.start_service("broker", f"/usr/local/bin/hold file {LEFT_PERCENT}", "LimitNOFILE=8192")


def _reached(guest: Guest) -> bool:
    charged = unit_statistics(guest, UNIT)
    held = 100 * charged["shmem"] / 1024 / meminfo(guest)["MemTotal"] > SHARE_PERCENT
    return held and charged["anon"] < charged["shmem"] / 10 and short(guest)


SCENARIO = Scenario(
    "memfd_unit",
    f"{UNIT} holds more than {SHARE_PERCENT} % of the memory in a memfd",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("low", "starving"),
        cause=UNIT,
        beside=("swap-capacity",),
        allowed=(
            "memory-shortage.stalled",
            "memory-shortage.file-thrash",
            "memory-shortage.shared-memory-hog",
            "swap-capacity.no-swap-short",
        ),
        says=(UNIT,),
        targets=(UNIT,),
    ),
    configuration=ROOMY,
)
