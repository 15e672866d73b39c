"""What is wrong with runbook files, and a template to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.documents.library import SCHEDULES, SERVICES, SETTINGS, Library
from memrunbook.documents.notifying import not_ready
from memrunbook.documents.owned import is_there

TEMPLATE = """\
apiVersion: memrunbook/v1
name: {name}
title: {title}
description: >
  What is wrong when this applies, in words that a person woken at night understands.
parameters:                      # runbook run ./{name}.yaml -p available_low=5
  available_low: {{type: number, default: 10.0, description: "Available memory in % of RAM below which it is low"}}
sample: {{count: 3, every: 5s}}    # three readings, 5 s apart; rates need at least two
signals: [memory.available_percent, pressure.full.percent]   # reported before and after

checks:                          # runbook facts --host local lists every metric that may be used
  - id: low
    name: Available memory is low
    when: memory.available_percent < parameters.available_low
    severity: critical           # info | warning | critical
    explain: What it means and what it does not mean.
incident: checks.low             # does this runbook apply?
resolved:                        # when to stop
  that: memory.available_percent > parameters.available_low + 5.0
  hold: 60s

steps:                           # ordered: the cheapest that can help comes first
  - id: evidence
    name: Save the evidence
    action: capture_evidence
  - id: less-swapping
    name: Lower the tendency to swap
    action: set_sysctl
    with: {{key: vm.swappiness, value: 10, for: 2h}}   # the host itself takes it back after two hours
    when: sysctl.vm.swappiness > 10
"""
HOUSE = (SETTINGS, SERVICES, SCHEDULES)
UNREADY = "try it where it runs, as whoever runs it: runbook notify test"
NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class ValidateResult:
    """How many runbooks were checked, which files of the house, what is wrong in them, what is allowed but doubtful."""

    checked: int
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    house: tuple[str, ...] = ()


def validate(library: Library, names: Sequence[str] = (), inventory: tuple[str, ...] = ()) -> ValidateResult:
    """Checks runbooks for form and sense: those named (by name or path), else every one of the library.

    With all of them config.yaml, services.yaml and schedules.yaml are checked; a file of one of these names is one.
    `inventory` counts for schedules that name none.
    """
    from memrunbook.documents.sense import warnings

    files, read = _HouseFiles(inventory), [] if names else house_files(library)
    problems: list[Problem] = [] if names else files.all(library)
    names = names or tuple(entry.name for entry in library.entries() if not entry.shadowed)
    doubts: list[Problem] = []
    for name in names:
        if (found := files.named(library, Path(name))) is not None:
            problems += found
            read.append(name)
            continue
        try:
            doubts += warnings(library.runbook(name))
        except DocumentError as error:
            problems += error.problems
        except UsageError as error:
            problems.append(Problem(error.where or name, error.message, error.hint))
    asked = len(names) - sum(Path(name).name in HOUSE for name in names)
    return ValidateResult(asked, tuple(problems), (*files.doubts, *doubts), tuple(read))


def house_files(library: Library) -> list[str]:
    """The names of the files that a library has beside its runbooks, its own and those that bind everybody."""
    own = {SETTINGS: library.settings, SERVICES: library.services, SCHEDULES: library.timetable}
    binding = [name for name, path in own.items() if name != SCHEDULES and library.binds(name, path)]
    return [name for name, path in own.items() if name in binding or (path is not None and is_there(path))]


@dataclass(frozen=True)
class _HouseFiles:
    """Checks the files that say what may be done; what is doubtful in them is added to `doubts`."""

    inventory: tuple[str, ...]
    doubts: list[Problem] = field(default_factory=list)

    def all(self, library: Library) -> list[Problem]:
        """What is wrong with those that this library has, each once."""
        found = [*self._schedules(library), *self._settings(library), *self._services(library)]
        return list(dict.fromkeys(found))

    def named(self, library: Library, path: Path) -> list[Problem] | None:
        """What is wrong with one of them, of which the name says which it is; None for any other file."""
        if path.name == SCHEDULES:
            return self._schedules(replace(library, timetable=path))
        if path.name == SETTINGS:
            return self._settings(replace(library, settings=path))
        return self._services(replace(library, services=path)) if path.name == SERVICES else None

    def _schedules(self, library: Library) -> list[Problem]:
        """And what it names that is not there."""
        from memrunbook.app.judging_schedules import ScheduleJudge

        try:
            return list(ScheduleJudge(library, self.inventory).judged(library.schedules()).problems)
        except DocumentError as error:
            return error.problems

    def _settings(self, library: Library) -> list[Problem]:
        """And what its alerts name that is not there."""
        from memrunbook.app.checking_rules import check_rules

        try:
            config = library.config()
            self.doubts.extend(
                Problem(f"{library.own_settings} (notify)", why, UNREADY) for why in not_ready(config.notify)
            )
            check_rules(config.alerts, library)
        except DocumentError as error:
            return error.problems
        return []

    def _services(self, library: Library) -> list[Problem]:
        try:
            library.policy()
        except DocumentError as error:
            return error.problems
        return []


def new_runbook(name: str, path: Path) -> None:
    """Writes a commented runbook to start from; UsageError for a wrong name, or where the file is there already."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a runbook", hint="lower-case letters, digits and -, as in my-service"
        )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=name, title=name.replace("-", " ").capitalize()))
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}", where=str(path), hint="name another one with --out"
        ) from None
