"""How often something was changed by runs, by whom, and how long each time helped."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.app.remembering import kept_as
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError
from memrunbook.core.plan.limits import PastChange
from memrunbook.core.plan.restarts import Helped, helped
from memrunbook.core.reading.baseline import UNIT_OWN
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.paths import usual_state_dir

LONGEST = 395.0 * DAY


@dataclass(frozen=True, kw_only=True)
class RestartsArguments:
    """The unit by its name, with or without ".service", and where runs are remembered."""

    unit: str
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""


def restarts(arguments: RestartsArguments) -> tuple[Helped, ...]:
    """What runs changed about a unit, on each host in the order of time. JournalError where the store is silent."""
    stored, now = Stored(arguments.state, arguments.library.config(), arguments.store), SystemClock().now().utc
    if stored.missing:
        return ()
    unit = arguments.unit
    with closing(stored.open()) as store:
        changes = store.about({unit, f"{unit}.service"}, now - LONGEST)
    hosts: dict[str, list[PastChange]] = {}
    for one in changes:
        hosts.setdefault(one.machine or one.host, []).append(one)
    return tuple(one for several in hosts.values() for one in helped(several, _points(stored, several[-1]), now))


def _points(stored: Stored, change: PastChange) -> tuple[Observation, ...]:
    """The unit's own memory on a host, as far as the history knows it; it is not worth an error."""
    file = stored.history_file
    if file is not None and not file.exists():
        return ()
    try:
        with closing(stored.past()) as past:
            known = past.series(kept_as(change.host), change.machine, 0.0)
    except RunbookError:
        return ()
    return next((one.points for one in known if one.figure == UNIT_OWN and one.name == kept_name(change.target)), ())
