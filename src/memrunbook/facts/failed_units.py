"""Services that have failed, asked of systemd only where a unit has begun or ended since a run locked this host.

systemd keeps a link for each unit that is active in /run/systemd/units: made before the unit's first process, removed
when it ends, so that the folder is as new as the last of these. Where that is older than the run's lock, nobody has
failed since, and no process is needed to see it. A host without that folder, or whose lock stands elsewhere (a login
that is not root), is asked; so is each at the first reading behind the lock: who failed between the diagnosis and the
lock is no harm of what is changed then.
"""

from __future__ import annotations

from typing import Annotated

from memrunbook.core.reading.fact import NOT_ASKED, Command, Doc, Fact, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.shared.sampling import Readings, latest
from memrunbook.linux.systemctl import LIST_FAILED, failed_in

NAME = "failed units"
# In the same tick of the clock neither is newer: then it is asked.
# In bash a file is newer than one that is not there: so the folder must be (systemd before 235 has none).
QUIET = (
    '[ ! -d /run/systemd/system ] || { [ -n "${probe_told-}" ] && '
    "[ -d /run/systemd/units ] && [ /run/memrunbook.lock -nt /run/systemd/units ]; }"
)


class FailedUnits(Reading, frozen=True, kw_only=True):
    """Who failed; without names where nobody can have failed since the lock was taken."""

    moved: Annotated[
        bool, Doc("systemd was asked: at first, and where a unit has begun or ended", source="/run/systemd/units")
    ]
    names: Annotated[list[str] | None, Doc("services that failed", Unit.NONE, "systemctl list-units")] = None


def parse(samples: Samples, _readings: Readings) -> FailedUnits | Unavailable:
    """Reads what systemctl listed, or that it was not asked."""
    said = latest(samples, NAME)
    if said.problem is not None:
        return said.problem
    if said.text.strip() == NOT_ASKED:
        return FailedUnits(moved=False)
    names = failed_in(said.text)
    if names is None:
        return Unavailable("failed", f"{NAME}: systemctl cannot list them")
    return FailedUnits(moved=True, names=names)


FACT = Fact(
    reading=FailedUnits,
    parse=parse,
    asks=(Command(NAME, LIST_FAILED, unless=QUIET),),
    meaning="services that failed while a run is at work",
    in_runs=True,
)
