"""What works and what does not: on this control node, on the way to hosts, and there; nothing is changed."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from memrunbook.app.connectors import Connectors
from memrunbook.app.entering import EnteredHost, Entrance, Needs, needs_of
from memrunbook.app.judging_schedules import inspect_schedules
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reading import refuse_twins
from memrunbook.app.stored import Stored
from memrunbook.core.errors import DocumentError, JournalError, RunbookError
from memrunbook.core.host import Host
from memrunbook.documents.checkup import inspect_documents
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.fleet import each
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.state.checkup import inspect_state
from memrunbook.state.paths import usual_state_dir
from memrunbook.state.signers import Signers
from memrunbook.transports.shared.checkup import inspect_agent, inspect_programs
from memrunbook.version import __version__

OLDEST = (3, 11)
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*$")
BOUND = re.compile(r"(>=|<)\s*([\d.]+)")


@dataclass(frozen=True, kw_only=True)
class DoctorArguments:
    """The state directory, the files and the hosts to look at; without hosts this control node alone."""

    hosts: tuple[Host, ...] = ()
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""


@dataclass(frozen=True, kw_only=True)
class DoctorResult:
    """What was found here, and on each host in their order."""

    here: tuple[Inspection, ...]
    hosts: tuple[EnteredHost, ...] = ()


def doctor(arguments: DoctorArguments, notice: Notice = SILENT) -> DoctorResult:
    """Looks at everything, and raises for nothing that it finds: UsageError for hosts that cannot be asked alone."""
    refuse_twins(arguments.hosts)
    arguments.connectors.check(arguments.hosts)
    clock = SystemClock()
    here = (
        *_python(),
        *inspect_programs(approvals=_approvals(arguments.library)),
        inspect_agent(),
        *_state(arguments, clock.now().utc),
        *_scheduler(arguments),
        *inspect_documents(arguments.library),
        *([inspect_schedules(arguments.library)] if arguments.library.timetable is not None else []),
        *_signers(arguments.library),
    )
    if not arguments.hosts:
        return DoctorResult(here=here)
    notice.reading(arguments.hosts, 1, 0.0, watching=False)
    try:
        entrance = Entrance(arguments.connectors, _needs(arguments.library))
        hosts = each(arguments.hosts, notice.lives(entrance.enter), arguments.connectors.forks, clock)
        return DoctorResult(here=here, hosts=tuple(hosts))
    finally:
        notice.read()


def _state(arguments: DoctorArguments, now: float) -> Iterator[Inspection]:
    try:
        stored = Stored(arguments.state, arguments.library.config(), arguments.store)
        place, password = stored.place, stored.password
    except DocumentError:  # told of the documents
        place, password = Stored(arguments.state, named=arguments.store).place, ""
    except JournalError as error:
        yield Inspection(area="state", name="store", state="missing", said=str(error), remedy=error.hint)
        place, password = "", ""
    yield from inspect_state(arguments.state, place, password, now)


def _scheduler(arguments: DoctorArguments) -> Iterator[Inspection]:
    """Whether somebody schedules, where something is to be scheduled or was."""
    from memrunbook.app.scheduling import ScheduleArguments, look_for_scheduler

    asked = ScheduleArguments(library=arguments.library, state=arguments.state, store=arguments.store)
    try:
        found = look_for_scheduler(asked)
    except (RunbookError, OSError):
        return  # told where the store is looked at
    if found.goes and arguments.library.timetable is None:
        return
    state: InspectedState = "ok" if found.goes else "missing"
    remedy = "" if found.goes else found.tell[0].command
    yield Inspection(area="state", name="scheduler", state=state, said=found.said, remedy=remedy)


def _python() -> Iterator[Inspection]:
    version = platform.python_version()
    old = sys.version_info[:2] < OLDEST
    remedy = f"memrunbook needs Python {'.'.join(map(str, OLDEST))} or newer" if old else ""
    state: InspectedState = "missing" if old else "ok"
    yield Inspection(area="programs", name="memrunbook", said=f"{__version__}, Python {version}", state=state,
                     remedy=remedy)  # fmt: skip
    try:
        required = metadata.requires("memrunbook") or []
    except metadata.PackageNotFoundError:
        yield Inspection(
            area="programs", name="libraries", state="note", said="not installed by a package: not looked at"
        )
        return
    faults = [fault for words in required if (fault := _library_fault(words))]
    if faults:
        remedy = "pip install --upgrade memrunbook"
        yield Inspection(area="programs", name="libraries", state="missing", said="; ".join(faults), remedy=remedy)
    else:
        named = [match[1] for words in required if (match := REQUIREMENT.match(words))]
        said = ", ".join(f"{name} {metadata.version(name)}" for name in named)
        yield Inspection(area="programs", name="libraries", said=said)


def _library_fault(words: str) -> str:
    """What is wrong with a required library; an extra's, which has a marker, is none of them."""
    match = REQUIREMENT.match(words)
    if match is None:
        return ""
    try:
        there = metadata.version(match[1])
    except metadata.PackageNotFoundError:
        return f"{match[1]} is not installed"
    for sign, bound in BOUND.findall(match[2]):
        if (_numbers(there) >= _numbers(bound)) != (sign == ">="):
            return f"{match[1]} {there} is installed, {match[2].strip()} is needed"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _approvals(library: Library) -> bool:
    try:
        return bool(library.config().approvals)
    except (RunbookError, OSError):
        return False


def _signers(library: Library) -> Iterator[Inspection]:
    try:
        config = library.config()
    except (RunbookError, OSError):
        return  # told where the files are looked at
    if not config.allowed_signers:
        return
    try:
        signers = Signers.read_all(config.allowed_signers, config.revoked_keys)
    except DocumentError as error:
        first = error.problems[0]
        said = f"{first.where}: {first.message}"
        yield Inspection(area="documents", name="allowed_signers", state="missing", said=said, remedy=first.hint)
    else:
        for one in (signers, *signers.also):
            yield Inspection(area="documents", name="allowed_signers", said=f"{one.named}: {len(one.lines)} keys")


def _needs(library: Library) -> Needs:
    try:
        return needs_of(library.runbooks()[0])
    except (RunbookError, OSError):
        return Needs()
