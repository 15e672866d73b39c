"""A process that somebody left running after logging out holds nearly all memory; it belongs to no service."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.refilling_service import (
    LEFT_PERCENT,
    REQUEST_MIB,
    SHORTAGE_PERCENT,
    read_again,
    request,
    short,
)

PROCESS = "fill"
READERS = 3
# As pam_systemd names it, which the guest does not have: without it a login's processes count as ssh.service's.
LOGIN = "systemd-run --quiet --scope --unit=session-7.scope --slice=user-1000.slice --uid=ops"


def _prepare(guest: Guest) -> None:
    guest.install(PROCESS)
    read_again(guest, READERS)
    request(guest, REQUEST_MIB)
    guest.check(f"{LOGIN} setsid --fork /usr/local/bin/{PROCESS} -k -a {LEFT_PERCENT} </dev/null >/dev/null 2>&1")


SCENARIO = Scenario(
    "stray_leak",
    f"the process {PROCESS} of a login that is gone leaves less than {SHORTAGE_PERCENT} % available",
    _prepare,
    short,
    Truth(
        "memory-shortage",
        checks=("starving",),
        cause=PROCESS,
        beside=("swap-capacity",),
        allowed=(
            "memory-shortage.low",
            "memory-shortage.stalled",
            "memory-shortage.file-thrash",
            "swap-capacity.no-swap-short",
        ),
    ),
)
