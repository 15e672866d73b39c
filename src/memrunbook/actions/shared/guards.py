"""What must hold before an action may change a host, asked of a snapshot one by one; a missing fact never passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from memrunbook.core.action.action import Blocked
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import Duration

Precondition = Callable[[Snapshot], Blocked | None]
TakenBackAfter = Annotated[Duration | None, Meta(description="after this time the host itself takes it back")]
"""The parameter `for`."""

HINTS = {
    "absent": "this host does not offer it; `runbook facts` lists what it does",
    "denied": "allow reads as root for this host (sudo)",
    "timeout": "the host answers slowly; try again",
    "failed": "`runbook facts` shows what can be read on this host",
    "not yet": "it is known after some readings: runbook diagnose, again and again for half an hour",
}
FULL_PRESSURE_LIMIT = 10.0
ALLOCSTALL_LIMIT = 1.0
SHORTEST = 1.0
FIRST_WITH_COLLECT = 236
"""The systemd whose `systemd-run` knows --collect, so that a timer that failed is not left behind."""


def first(snapshot: Snapshot, *guards: Precondition) -> Blocked | None:
    """The first guard that blocks, None where all hold."""
    return next((blocked for guard in guards if (blocked := guard(snapshot)) is not None), None)


def known(*metrics: str) -> Precondition:
    """All these metrics could be had."""

    def guard(snapshot: Snapshot) -> Blocked | None:
        for metric in metrics:
            value = snapshot.value(metric)
            if isinstance(value, Unavailable):
                return Blocked(f"{metric} is unknown: {value.why.removeprefix(f'{metric}: ')}", HINTS[value.reason])
        return None

    return guard


def is_not(metric: str, refused: object, why: str, hint: str) -> Precondition:
    """The metric is known and has another value than the refused one."""

    def guard(snapshot: Snapshot) -> Blocked | None:
        return known(metric)(snapshot) or (Blocked(why, hint) if snapshot.value(metric) == refused else None)

    return guard


AS_ROOT = is_not(
    "host.root",
    False,
    "changing this host needs root, and the shell is not root",
    "log in as root or allow `sudo -n` for this login (--sudo auto)",
)
HAS_SYSTEMD = is_not("host.systemd", False, "systemd does not run this host", "act by hand through its own init system")
NO_KUBERNETES = is_not(
    "host.kubernetes",
    True,
    "this is a Kubernetes node: changes are only reported here",
    "cordon and drain the node (kubectl cordon, kubectl drain), then look for the pod that grows",
)
NO_CONTAINER = is_not(
    "host.container",
    True,
    "this is a container: the knob belongs to the machine below it",
    "run this on the machine that runs the container",
)
NO_DATABASE = is_not(
    "host.database",
    True,
    "a database runs here and lives on its caches",
    "size the database's own memory instead",
)


def can_come_back(snapshot: Snapshot) -> Blocked | None:
    """Something can take a change back: a timer of systemd 236 or later, or where no systemd runs a sleeping shell."""
    blocked = known("host.systemd")(snapshot)
    if blocked is not None or snapshot.value("host.systemd") is False:
        return blocked
    blocked = known("host.systemd_version")(snapshot)
    if blocked is not None or snapshot.value("host.systemd_version") >= FIRST_WITH_COLLECT:
        return blocked
    version = snapshot.value("host.systemd_version")
    why = f"`for` needs systemd {FIRST_WITH_COLLECT} or later, whose timer takes the change back; this is {version}"
    return Blocked(why, "leave `for` out; the change then stays until it is set back")


def can_fork(snapshot: Snapshot) -> Blocked | None:
    """The host can start a process; a shell that fails to would end."""
    if snapshot.fork_ok:
        return None
    return Blocked("the host cannot start processes now (fork fails)", "free memory or process ids from the console")


HOST_WIDE: tuple[Precondition, ...] = (known("host.boot_id"), AS_ROOT, can_fork, NO_KUBERNETES, NO_CONTAINER)
"""What every change of a kernel knob asks first."""


def low_pressure(snapshot: Snapshot) -> Blocked | None:
    """Full memory pressure is below 10 %; without PSI less than one allocation stall a second."""
    full = snapshot.value("pressure.full.percent")
    if isinstance(full, Unavailable):
        full = snapshot.value("pressure.full.avg10")
    if not isinstance(full, Unavailable):
        return _below("full memory pressure", "%", full, FULL_PRESSURE_LIMIT)
    if snapshot.value("pressure.supported") is not False:
        return known("pressure.full.avg10")(snapshot)
    stalls = snapshot.value("vmstat.allocstalls_per_second")
    if isinstance(stalls, Unavailable):
        return known("vmstat.allocstalls_per_second")(snapshot)
    return _below("the rate of allocation stalls", "/s", stalls, ALLOCSTALL_LIMIT)


def _below(name: str, unit: str, value: float, limit: float) -> Blocked | None:
    if value < limit:
        return None
    why = f"{name} is {value:.1f} {unit}, {limit:.0f} {unit} or more: the host is too busy for this"
    return Blocked(why, "contain the largest service first (freeze_unit, stop_unit)")


def comes_back(seconds: float | None) -> Precondition:
    """A change with `for` can be taken back by the host itself after that time; None asks nothing."""

    def guard(snapshot: Snapshot) -> Blocked | None:
        if seconds is None:
            return None
        if seconds < SHORTEST:
            return Blocked("`for` is shorter than a second", 'write how long the change lasts, as in "for: 5m"')
        return can_come_back(snapshot)

    return guard


def kernel_at_least(snapshot: Snapshot, major: int, minor: int) -> bool:
    """True when the kernel is known to be of this version or later."""
    match = re.match(r"(\d+)\.(\d+)", str(snapshot.value("host.kernel")))
    return match is not None and (int(match[1]), int(match[2])) >= (major, minor)


def boot(snapshot: Snapshot) -> str:
    """The part of an identity that tells one boot from the next; ask `known("host.boot_id")` first."""
    return f"boot {snapshot.value('host.boot_id')}"
