"""What is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.once import Once
from memrunbook.app.reading import ReadArguments, read, sampling_of, seen
from memrunbook.app.remembering import Remembering, StoredRecall
from memrunbook.app.stored import Stored
from memrunbook.app.tuning import tuned_of_each
from memrunbook.core.errors import Problem, UsageError
from memrunbook.core.host import Host
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import Sampling
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library, usual_library
from memrunbook.state.paths import usual_state_dir

if TYPE_CHECKING:
    from memrunbook.app.looking_elsewhere import LooksTold
    from memrunbook.runtime.handled import Handled

R = TypeVar("R")
ONCE = Sampling(1)


@dataclass(frozen=True, kw_only=True)
class DiagnoseArguments:
    """`watch` reads for so many seconds before it judges; `quick` judges by the first reading alone.

    `parameters`, as text, are those of every runbook that has one of that name.
    Without `history` no points of the readings are kept, and nobody is told to leak slowly. `store` is one other than
    usual; its history is read and written.
    `distribute`: workers read and judge the hosts, and tell of them: with `full` all, else what stands in their lines,
    and with `printed` what stands in documents.
    """

    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    quick: bool = False
    history: bool = True
    store: str = ""
    distribute: bool = False
    full: bool = True
    printed: bool = False

    def stored(self, config: Config) -> Stored:
        """Where the switch and the history are."""
        return Stored(self.state, config, self.store)


@dataclass(frozen=True)
class DiagnoseResult(Generic[R]):
    """What is kept of the hosts in their order, and why some runbooks had to be left out.

    `parameters` are those that were given, by the runbook that has them. `off` says why nothing may be changed now.
    """

    hosts: tuple[R, ...]
    left_out: tuple[Problem, ...] = ()
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    off: str = ""


class _Known(NamedTuple):
    """What every host is judged by: the runbooks, why some were left out, those of hosts that have their own.

    `hosts` are those that were asked for; one whose own parameters cannot be is refused.
    """

    hosts: tuple[Host, ...]
    runbooks: list[Runbook]
    problems: list[Problem]
    own: Mapping[str, list[Runbook]]
    done: Mapping[str, Handled]
    off: str
    config: Config


def diagnose(
    arguments: DiagnoseArguments,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> DiagnoseResult[Judged]:
    """Reads hosts and judges them by all runbooks; nothing is changed.

    A host that was not reached has its error in the result; after Ctrl-C, or once `stop` is set, those that had not
    been read carry Interrupted (one alone raises it). UsageError for what cannot be asked. `meanwhile` is done while
    the hosts wait between two samples.
    """
    return diagnose_each(arguments, lambda judged, _off: judged, notice, stop=stop, meanwhile=meanwhile)


def diagnose_each(
    arguments: DiagnoseArguments,
    keep: Callable[[Judged, str], R],
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> DiagnoseResult[R]:
    """As `diagnose`, and of each host only that is kept which `keep` makes of it: a snapshot is large.

    It is called as soon as that host has been judged, from several threads, with why nothing may be changed now.
    """
    if arguments.quick and arguments.watch is not None:
        raise UsageError("a quick look does not watch", where="--quick", hint="leave --quick or --watch out")
    known, hosts, remembering = Once(partial(_known, arguments)), arguments.hosts, Remembering(arguments.history)
    if arguments.parameters or any(host.parameters for host in hosts):
        hosts = known().hosts  # a mistake in them is told before any host is asked

    def work() -> None:
        known()
        meanwhile()

    if arguments.distribute:
        work()
        told = _elsewhere(arguments, hosts, known(), _listening(keep, known().off, notice, stop))
        return _result(arguments, known(), told)
    with closing(StoredRecall(lambda: arguments.stored(known().config))) as past:
        kept = read(
            ReadArguments(
                hosts=hosts,
                facts=_every_fact,
                sampling=sampling_of(arguments.watch, ONCE if arguments.quick else Sampling(), hosts),
                connectors=arguments.connectors,
                policy=arguments.library.policy(),
                watching=arguments.watch is not None,
                notice=notice,
                stop=stop or threading.Event(),
                work=work,
                past=past,
            ),
            remembering.noting(lambda reached: keep(_judged(known(), reached), known().off)),
        )
    remembering.write(arguments.stored(known().config), notice)
    return _result(arguments, known(), kept)


def _result(arguments: DiagnoseArguments, known: _Known, kept: Sequence[R]) -> DiagnoseResult[R]:
    given = {runbook.name: _given(arguments.parameters, runbook) for runbook in known.runbooks}
    return DiagnoseResult(tuple(kept), tuple(known.problems), given, known.off)


def _elsewhere(arguments: DiagnoseArguments, hosts: Sequence[Host], known: _Known, listening: LooksTold[R]) -> list[R]:
    from memrunbook.app.actor import this_actor
    from memrunbook.app.looking_elsewhere import look_elsewhere
    from memrunbook.core.run.placed import PlacedLook

    placed = PlacedLook(
        actor=this_actor(),
        parameters=dict(arguments.parameters),
        watch=arguments.watch,
        quick=arguments.quick,
        history=arguments.history,
        full=arguments.full,
        printed=arguments.printed,
    )
    sampling = sampling_of(arguments.watch, ONCE if arguments.quick else Sampling(), hosts)
    listening.notice.reading(hosts, sampling.count, sampling.every, watching=arguments.watch is not None)
    try:
        return look_elsewhere(hosts, placed, arguments.stored(known.config), listening)
    finally:
        listening.notice.read()


def _listening(
    keep: Callable[[Judged, str], R], off: str, notice: Notice, stop: threading.Event | None
) -> LooksTold[R]:
    from memrunbook.app.carried_looks import unpack_judged
    from memrunbook.app.looking_elsewhere import LooksTold

    return LooksTold(
        keep=lambda host, look: keep(*unpack_judged(look, host)),
        fail=lambda reached: keep(Judged(reached), off),
        notice=notice,
        stop=stop or threading.Event(),
    )


def _known(arguments: DiagnoseArguments) -> _Known:
    from memrunbook.app.braking import switched_off
    from memrunbook.app.handling import handled_for_looks
    from memrunbook.state.runs import runs

    library = arguments.library
    runbooks, problems = library.runbooks(arguments.parameters)
    own = tuned_of_each(library, runbooks, arguments.parameters, arguments.hosts)
    config = library.config()
    stored = arguments.stored(config)
    off, done = switched_off(stored), handled_for_looks(arguments.state, runs(arguments.state), stored)
    return _Known(own.hosts, runbooks, problems, own.own, done, off, config)


def _given(parameters: Mapping[str, str], runbook: Runbook) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name in runbook.parameters}


def _judged(known: _Known, reached: Reached) -> Judged:
    from memrunbook.core.plan.diagnosis import diagnose as diagnose_snapshot
    from memrunbook.runtime.judging import JUDGING

    if reached.snapshot is None:
        return Judged(reached)
    runbooks = known.own.get(reached.name, known.runbooks)
    views = seen(reached.snapshot, known.done, [runbook.name for runbook in runbooks])
    with JUDGING:
        return Judged(reached, diagnose_snapshot(runbooks, reached.snapshot, views))


def _every_fact() -> frozenset[str]:
    from memrunbook import catalog

    return catalog.standing_facts()
