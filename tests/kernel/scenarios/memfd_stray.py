"""A process of no service holds nearly all memory in a memfd that it has mapped."""

from tests.kernel.lab.configuration import ROOMY
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.refilling_service import LEFT_PERCENT, short, starve
from tests.kernel.scenarios.stray_leak import LOGIN

PROCESS = "renderer"
SHARE_PERCENT = 50


def _prepare(guest: Guest) -> None:
    guest.install("hold")
    guest.check(f"cp /usr/local/bin/hold /usr/local/bin/{PROCESS}")
    starve(guest)
    guest.check(f"{LOGIN} setsid --fork /usr/local/bin/{PROCESS} map {LEFT_PERCENT} </dev/null >/dev/null 2>&1")


def _reached(guest: Guest) -> bool:
    held_kib = int(guest.check(f"grep RssShmem: /proc/$(pgrep -xo {PROCESS})/status").split()[1])
    return 100 * held_kib / meminfo(guest)["MemTotal"] > SHARE_PERCENT and short(guest)


SCENARIO = Scenario(
    "memfd_stray",
    f"the process {PROCESS} of a login holds more than {SHARE_PERCENT} % of the memory in a memfd",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("low", "starving"),
        cause=PROCESS,
        beside=("swap-capacity",),
        allowed=(
            "memory-shortage.stalled",
            "memory-shortage.file-thrash",
            "memory-shortage.shared-memory-hog",
            "swap-capacity.no-swap-short",
        ),
        says=(PROCESS,),
        targets=(PROCESS,),
    ),
    configuration=ROOMY,
)
