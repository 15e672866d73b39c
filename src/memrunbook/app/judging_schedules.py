"""The one judge of schedules: whether what they name is there. A schedule that names what is not stops only itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from memrunbook.app.choosing import InventoryArguments, choose, inventory_unless_program
from memrunbook.app.holding_back import missing_window
from memrunbook.core.errors import DocumentError, Problem, RunbookError, in_a_line
from memrunbook.core.host import LOCAL, Host, parse_hosts
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.run.notification import Notification
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.text import clean
from memrunbook.documents.config import Config
from memrunbook.documents.library import SCHEDULES, Library
from memrunbook.documents.schedules import ScheduledRun, Schedules
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.inspection import Inspection

SHOWN = 60
Problems = tuple[Problem, ...]


@dataclass
class ScheduleJudge:
    """Judges schedules by the files as they are now; each file is read once.

    `inventory` counts for schedules that name none, else that of config.yaml. `entire`: no other inventory can come
    beside it, as it can for who only lists. No program that is an inventory is run: what it says is told when it fires.
    """

    library: Library
    inventory: tuple[str, ...] = ()
    entire: bool = False
    _inventories: dict[tuple[str, ...], Inventory | Problems | None] = field(default_factory=dict)
    _calendars: dict[Path, Problems] = field(default_factory=dict)
    _runbooks: dict[tuple[str, ...], Runbook | RunbookError] = field(default_factory=dict)

    def judged(self, schedules: Schedules) -> Schedules:
        """The same, and those that cannot be used among the broken ones."""
        found = {job.name: self.problems(job) for job in schedules.jobs}
        broken = {name: problems for name, problems in found.items() if problems}
        jobs = tuple(job for job in schedules.jobs if not found[job.name])
        return replace(schedules, jobs=jobs, broken={**schedules.broken, **broken})

    def problems(self, job: ScheduledRun) -> Problems:
        """Everything that a schedule names and that is not there, or not to be used; each with its line."""
        return tuple(dict.fromkeys((*self._done(job), *self._held(job), *self._hosts(job))))

    @cached_property
    def _config(self) -> Config:
        return self.library.config()

    def _done(self, job: ScheduledRun) -> Iterator[Problem]:
        key = (job.runbook, *(word for pair in sorted(job.parameters.items()) for word in pair))
        if key not in self._runbooks:
            self._runbooks[key] = _loaded(self.library, job)
        runbook = self._runbooks[key]
        if isinstance(runbook, RunbookError):
            yield _unusable(runbook, job)
            return
        actions = dict.fromkeys(step.spec.action for step in runbook.steps)
        for word in job.allow:
            action = word.partition(":")[0]
            if action not in actions:
                what = f"no step of {runbook.name} does {action}, which is allowed"
                yield Problem(job.at("allow"), what, f"it does: {', '.join(actions)}")

    def _held(self, job: ScheduledRun) -> Iterator[Problem]:
        if (missing := missing_window(job, self._config)) is not None:
            yield Problem(job.at("not_during"), f"config.yaml has no freeze {missing[0]}", missing[1])
        for path in job.calendars:
            if path not in self._calendars:
                self._calendars[path] = _calendar(path, job)
            for problem in self._calendars[path]:
                yield Problem(job.at("not_during"), f"{problem.where}: {problem.message}", problem.hint)

    def _hosts(self, job: ScheduledRun) -> Iterator[Problem]:
        sources = job.inventory or self.inventory or self._config.defaults.inventory
        key = "inventory" if job.inventory else "hosts"
        if not sources:
            yield from self._without_inventory(job)
            return
        if sources not in self._inventories:
            self._inventories[sources] = self._inventory(sources)
        known = self._inventories[sources]
        if isinstance(known, tuple):
            yield from (Problem(job.at(key), f"{one.where}: {one.message}", one.hint) for one in known)
        elif isinstance(known, Inventory):
            try:
                yield from unlisted(job, choose(known, job.hosts), known)
            except RunbookError as error:
                yield Problem(job.at("hosts"), error.message, error.hint)

    def _without_inventory(self, job: ScheduledRun) -> Iterator[Problem]:
        """Words that only an inventory can explain, and files of hosts that cannot be read."""
        if files := [word for word in job.hosts if word.startswith("@")]:
            try:
                choose(Inventory(), files)
            except RunbookError as error:
                yield Problem(job.at("hosts"), str(error), error.hint)
            return
        if not self.entire:
            return
        hint = "write inventory: FILE into the schedule, or name one in config.yaml"
        try:
            if any(host.name == ALL for host in parse_hosts(job.hosts)):
                yield Problem(job.at("hosts"), f"{ALL} means the hosts of an inventory, and there is none", hint)
        except RunbookError as error:
            yield Problem(job.at("hosts"), f"{error.message}, and there is no inventory", hint)

    def _inventory(self, sources: tuple[str, ...]) -> Inventory | Problems | None:
        config = self._config
        asked = InventoryArguments(
            sources=sources,
            skip_encrypted=config.defaults.skip_vault_files,
            ruling_tags=frozenset(one.tag for one in config.maximum_risk if one.tag),
        )
        for path in (Path(source.removeprefix("ansible:")) for source in sources):
            if path.is_fifo():
                return (Problem(str(path), "this is a pipe, and is read each time", "name a file"),)
        try:
            return inventory_unless_program(asked)
        except DocumentError as error:
            return tuple(error.problems)


def unlisted(job: ScheduledRun, hosts: Sequence[Host], known: Inventory) -> Iterator[Problem]:
    """The words of a schedule that its inventory knows neither as host nor as group: nobody sees what they lead to."""
    for host in hosts:
        if host.unlisted and host.transport != LOCAL:
            near = get_close_matches(host.name, [*known.groups, *known.hosts], 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "runbook hosts lists the hosts and groups of the inventory"
            yield Problem(job.at("hosts"), f"the inventory has no host or group {clean(host.name, SHOWN)!r}", hint)


def broken_told(name: str, problems: Sequence[Problem], now: float, command: str) -> Notification:
    """What is told of a schedule that cannot be used: the same whoever finds it, so that it is one message."""
    first, *others = problems
    told = (first.hint, *(words for one in others for words in (f"{one.where}: {one.message}", one.hint)))
    return Notification(
        occasion="failed",
        key=f"schedule:{name}::broken",
        at=now,
        schedule=name,
        verdict=f"schedule {name} is not used: {first.where}: {first.message}",
        evidence=tuple(filter(None, told)),
        command=command,
    )


def inspect_schedules(library: Library) -> Inspection:
    """Whether each schedule can be used, for `doctor`."""
    path = library.timetable
    try:
        found = ScheduleJudge(library).judged(library.schedules())
    except (RunbookError, OSError) as error:
        said = in_a_line(error) if isinstance(error, RunbookError) else str(error)
        return Inspection(area="documents", name=SCHEDULES, state="missing", said=said, remedy=f"mend {path}")
    if found.broken:
        name, (first, *_) = next(iter(found.broken.items()))
        said = f"{len(found.broken)} cannot be used: {name}: {first.where}: {first.message}"
        return Inspection(area="documents", name=SCHEDULES, state="missing", said=said, remedy=f"mend {path}")
    return Inspection(area="documents", name=SCHEDULES, said=f"{path}: {len(found.jobs)} can be used")


def _loaded(library: Library, job: ScheduledRun) -> Runbook | RunbookError:
    try:
        return library.runbook(job.runbook, job.parameters)
    except RunbookError as error:
        return error


def _unusable(error: RunbookError, job: ScheduledRun) -> Problem:
    if isinstance(error, DocumentError):
        first = error.problems[0]
        return Problem(job.at("runbook"), f"{first.where}: {first.message}", first.hint)
    option, _, name = error.where.partition("-p ")
    given = bool(name) and not option
    what = f"{name}: {error.message}" if given else error.message
    return Problem(job.at("parameters" if given else "runbook"), what, error.hint)


def _calendar(path: Path, job: ScheduledRun) -> Problems:
    from memrunbook.documents.calendars import entry_now

    if path.is_fifo():
        return (Problem(str(path), "this is a pipe, and is read each time", "name a file"),)
    try:
        entry_now(path, SystemClock().now().utc, job.schedule.zone)
    except DocumentError as error:
        return tuple(error.problems)
    except RunbookError as error:
        return (Problem(error.where, error.message, error.hint),)
    return ()
