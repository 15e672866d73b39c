"""A process that somebody left running after logging out holds nearly all memory; it belongs to no service."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, rates, stalls
from tests.kernel.lab.scenario import Scenario, Truth

PROCESS = "fill"
DATA = "/var/tmp/data"
DATA_MIB = 64
READERS = 3
LEFT_PERCENT = 4
SHORTAGE_PERCENT = 5
# As pam_systemd names it, which the guest does not have: without it a login's processes count as ssh.service's.
LOGIN = "systemd-run --quiet --scope --unit=session-7.scope --slice=user-1000.slice --uid=ops"


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    guest.install("wander")
    guest.install("burst")
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    readers = " & ".join([f"/usr/local/bin/wander -f {DATA} -r 500"] * READERS)
    guest.start_service("reader", f"/bin/sh -c '{readers}'")
    guest.start_service("requests", "/usr/local/bin/burst -m 4")
    guest.check(f"{LOGIN} setsid --fork /usr/local/bin/{PROCESS} -k -a {LEFT_PERCENT} </dev/null >/dev/null 2>&1")


def _reached(guest: Guest) -> bool:
    return available_percent(guest) < SHORTAGE_PERCENT and stalls(rates(guest)) > 0


SCENARIO = Scenario(
    "stray_leak",
    f"the process {PROCESS} of a login that is gone leaves less than {SHORTAGE_PERCENT} % available",
    _prepare,
    _reached,
    Truth("memory-shortage", checks=("starving",), cause=PROCESS, beside=("swap-capacity",)),
)
