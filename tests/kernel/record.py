"""`python -m tests.kernel.record [NAME]...`: records guests of the lab anew, as the hosts of tests/hosts.

A guest is entered, recorded by `runbook record`, and ended; then the next one. A recording is kept only where what is
said of it is what the scenario's truth asks for: emulated processors sometimes stand still for seconds, and then
nothing moves. Afterwards UPDATE_GOLDEN=1 writes the files beside the recordings; read the difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kernel.command import RUNBOOK, Operator
from tests.kernel.lab.configuration import configured
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import Guest, fresh_guest
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import Scenario, named
from tests.kernel.matrix import faults, subsumed

HOSTS = Path(__file__).parents[1] / "hosts"
TRIES = 3
COMPRESSED_MIB = 384
ZRAM = (
    f"modprobe zram && echo {COMPRESSED_MIB}M >/sys/block/zram0/disksize && mkswap /dev/zram0"
    " && swapon --priority 100 /dev/zram0"
)
"""Swap in compressed RAM that is used before any disk."""


@dataclass(frozen=True)
class RecordedGuest:
    """A scenario in a configuration (its own one: empty), who reads it, and what is done on the guest before."""

    scenario: str
    configuration: str = ""
    user: str = "root"
    before: str = ""


IN_MAIN = (
    "idle-healthy", "swap-thrash", "two-growing", "unit-limit-oom", "leaking-service", "cache-full-healthy",
    "cold-swap-healthy", "fragmentation", "dentry-bloat", "slab-leak", "tmpfs-hog", "hugepages-idle", "no-swap",
    "refilling-service", "swap-exhausted", "dirty-stall", "node-thrash", "ballooned", "container-pressure",
)  # fmt: skip
GUESTS: Mapping[str, RecordedGuest] = {
    **{name: RecordedGuest(name) for name in IN_MAIN},
    "swap-thrash-no-psi": RecordedGuest("swap-thrash", "no-psi"),
    "swap-thrash-without-root": RecordedGuest("swap-thrash", user="plain"),
    "leaking-service-cgroup-v1": RecordedGuest("leaking-service", "cgroup-v1"),
    "cold-swap-zram": RecordedGuest("cold-swap-healthy", before=ZRAM),
    "swap-thrash-debian-13": RecordedGuest("swap-thrash", "debian-13"),
    "unit-limit-oom-debian-11": RecordedGuest("unit-limit-oom", "debian-11"),
}
"""By the name of the file in tests/hosts, without its ending."""


def main(names: list[str]) -> int:
    """Record the named guests, or all; 0, or 1 where one could not be."""
    unknown = [name for name in names if name not in GUESTS]
    if reason := obstacle() or (f"no recording {unknown[0]!r}; there are: {', '.join(GUESTS)}" if unknown else ""):
        print(f"kernel lab: {reason}", file=sys.stderr)
        return 1
    failed = [name for name in names or GUESTS if not _recorded(name)]
    print(f"not recorded: {', '.join(failed)}" if failed else "all are recorded: UPDATE_GOLDEN=1 pytest tests/hosts")
    return 1 if failed else 0


def _recorded(name: str) -> bool:
    """Whether one of a few tries showed what the scenario is."""
    for attempt in range(1, TRIES + 1):
        try:
            wrong = list(_try(name, GUESTS[name]))
        except LabError as failure:
            wrong = [str(failure)]
        print(f"{name}, try {attempt}: {'; '.join(wrong) or 'recorded'}", flush=True)
        if not wrong:
            return True
    return False


def _try(name: str, wanted: RecordedGuest) -> Iterator[str]:
    scenario = named(wanted.scenario)
    chosen = configured(wanted.configuration) if wanted.configuration else scenario.configuration
    with fresh_guest(chosen) as guest, tempfile.TemporaryDirectory() as place:
        if wanted.before:
            guest.check(wanted.before)
        scenario.enter(guest)
        made = Path(place) / f"{name}.txt"
        _record(guest, scenario, wanted.user, made)
        wrong = list(faults(scenario.truth, _judged(made), subsumed()))
        if not wrong:
            (HOSTS / made.name).write_bytes(made.read_bytes())
        yield from wrong


def _record(guest: Guest, scenario: Scenario, user: str, file: Path) -> None:
    watch = ["--watch", scenario.truth.watch] if scenario.truth.watch else []
    ended = Operator(guest, file.parent, user)("record", "-o", str(file), *watch)
    if ended.status != 0:
        message = f"record ended with {ended.status}: {ended.err or ended.out}"
        raise LabError(message)


def _judged(file: Path) -> dict[str, Any]:
    """The host of `diagnose --json` of the recording."""
    state = ["--state-dir", str(file.parent / "state")]
    argv = [str(RUNBOOK), "diagnose", "--json", "--replay", str(file), *state]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    host: dict[str, Any] = json.loads(done.stdout)["hosts"][0]
    return host


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
