"""A service holds nearly all memory in sockets that nobody reads: the kernel's, but charged to its control group."""

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
    guest.start_service("broker", f"/usr/local/bin/hold socket {LEFT_PERCENT}", "LimitNOFILE=8192")


def _reached(guest: Guest) -> bool:
    charged = unit_statistics(guest, UNIT)
    held = 100 * charged["kernel"] / 1024 / meminfo(guest)["MemTotal"] > SHARE_PERCENT
    return held and charged["anon"] < charged["kernel"] / 10 and short(guest)


SCENARIO = Scenario(
    "socket_unit",
    f"{UNIT} holds more than {SHARE_PERCENT} % of the memory in sockets",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("low", "starving"),
        cause=UNIT,
        beside=("swap-capacity",),
        allowed=("memory-shortage.stalled", "memory-shortage.file-thrash", "swap-capacity.no-swap-short"),
        says=(UNIT,),
        targets=(UNIT,),
    ),
    configuration=ROOMY,
)
