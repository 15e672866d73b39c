"""What is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reading import ReadArguments, read, sampling_of, seen
from memrunbook.core.errors import Problem, UsageError
from memrunbook.core.host import Host
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import Sampling
from memrunbook.documents.library import Library, usual_library
from memrunbook.state.paths import usual_state_dir

if TYPE_CHECKING:
    from memrunbook.runtime.handled import Handled

ONCE = Sampling(1)


@dataclass(frozen=True, kw_only=True)
class DiagnoseArguments:
    """`watch` reads for so many seconds before it judges; `quick` judges by the first reading alone.

    `parameters`, as text, are those of every runbook that has one of that name.
    """

    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    quick: bool = False


@dataclass(frozen=True)
class DiagnoseResult:
    """The hosts in their order, and why some runbooks had to be left out.

    `parameters` are those that were given, by the runbook that has them. `off` says why nothing may be changed now.
    """

    hosts: tuple[Judged, ...]
    left_out: tuple[Problem, ...] = ()
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    off: str = ""


def diagnose(
    arguments: DiagnoseArguments,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> DiagnoseResult:
    """Reads hosts and judges them by all runbooks; nothing is changed.

    A host that was not reached has its error in the result. UsageError for what cannot be asked; Interrupted once
    `stop` is set. `meanwhile` is done while the hosts wait between two samples.
    """
    if arguments.quick and arguments.watch is not None:
        raise UsageError("a quick look does not watch", where="--quick", hint="leave --quick or --watch out")
    library, loaded = arguments.library, list[tuple[list[Runbook], list[Problem]]]()

    def prepare() -> None:
        loaded.append(library.runbooks(arguments.parameters))
        meanwhile()

    if arguments.parameters:
        prepare()  # a mistake in them is told before any host is asked
    usual = ONCE if arguments.quick else Sampling()
    reached = read(
        ReadArguments(
            hosts=arguments.hosts,
            facts=_every_fact,
            sampling=sampling_of(arguments.watch, usual, arguments.hosts),
            connectors=arguments.connectors,
            policy=library.policy(),
            watching=arguments.watch is not None,
            notice=notice,
            stop=stop or threading.Event(),
            work=prepare if not loaded else meanwhile,
        )
    )
    if not loaded:
        prepare()
    runbooks, problems = loaded[0]
    from memrunbook.state.handled import handled

    done = handled(arguments.state)
    return _result(arguments, [_judged(runbooks, one, done) for one in reached], runbooks, problems)


def _result(
    arguments: DiagnoseArguments, judged: list[Judged], runbooks: list[Runbook], problems: list[Problem]
) -> DiagnoseResult:
    from memrunbook.app.braking import switched_off
    from memrunbook.app.stored import Stored

    given = {runbook.name: _given(arguments.parameters, runbook) for runbook in runbooks}
    return DiagnoseResult(
        tuple(judged), tuple(problems), given, switched_off(Stored(arguments.state, arguments.library.config()))
    )


def _given(parameters: Mapping[str, str], runbook: Runbook) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name in runbook.parameters}


def _judged(runbooks: list[Runbook], reached: Reached, done: Mapping[str, Handled]) -> Judged:
    from memrunbook.core.plan.diagnosis import diagnose as diagnose_snapshot

    if reached.snapshot is None:
        return Judged(reached)
    views = seen(reached.snapshot, done, [runbook.name for runbook in runbooks])
    return Judged(reached, diagnose_snapshot(runbooks, reached.snapshot, views))


def _every_fact() -> set[str]:
    from memrunbook import catalog

    return set(catalog.facts())
