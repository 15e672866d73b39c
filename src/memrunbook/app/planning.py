"""A dry run: real checks, real decisions, nothing changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from msgspec import structs

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.held_up import FrozenNow, HeldUp
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.once import Once
from memrunbook.app.reading import ReadArguments, read, sampling_of, seen
from memrunbook.app.remembering import Remembering, StoredRecall
from memrunbook.app.ruling import Mode, freeze_words, frozen_now, rules_for, through
from memrunbook.app.stored import Stored
from memrunbook.app.tuning import tuned
from memrunbook.core.errors import Interrupted
from memrunbook.core.host import Host
from memrunbook.core.plan.judged import Planned
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.rules import HostRules
from memrunbook.core.run.record import Actor
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library, usual_library
from memrunbook.state.paths import usual_state_dir

if TYPE_CHECKING:
    from memrunbook.app.looking_elsewhere import LooksTold
    from memrunbook.core.plan.plan import Plan
    from memrunbook.core.run.flight import OpenStep
    from memrunbook.documents.config import Config
    from memrunbook.runtime.handled import Handled

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class PlanArguments:
    """A runbook by name or path, and its parameters as text; `watch` reads for so many seconds before it judges.

    `out` names a file that the plans are saved in; `waits`: nobody sits there, and what is saved of it waits longer.
    `besides` are facts that are read beside those that the runbook needs. Without `history` no points of the readings
    are kept. `store` is one other than usual; its history is read and written. `distribute`: workers read and plan,
    and tell of each host what a saved plan and a document need, with `full` also all that was read.
    """

    runbook: str
    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    out: Path | None = None
    history: bool = True
    actor: Actor = field(default_factory=this_actor)
    waits: bool = False
    besides: tuple[str, ...] = ()
    store: str = ""
    distribute: bool = False
    full: bool = False

    def stored(self, config: Config) -> Stored:
        """Where the switch and the history are."""
        return Stored(self.state, config, self.store)


@dataclass(frozen=True)
class PlanResult(Generic[R]):
    """The runbook and what is kept of each host, in their order; and what runs left open on each, by its name.

    `freezes` are the freeze windows in which nothing is changed there now, by the host's name.
    `off` says why nothing may be changed now, where changes are switched off. `saved` is the file that holds the plans.
    """

    runbook: Runbook
    hosts: tuple[R, ...]
    open: Mapping[str, tuple[OpenStep, ...]] = field(default_factory=dict)
    freezes: Mapping[str, tuple[FrozenNow, ...]] = field(default_factory=dict)
    off: str = ""
    saved: Path | None = None


def plan(
    arguments: PlanArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None
) -> PlanResult[Planned]:
    """Plans on every host; nothing is changed.

    A host that was not reached has its error in the result; after Ctrl-C, or once `stop` is set, those that had not
    been read carry Interrupted (one alone raises it), and nothing is saved. UsageError or DocumentError for what cannot
    be asked.
    """
    return plan_each(arguments, lambda planned, _: planned, notice, stop=stop)


def plan_each(
    arguments: PlanArguments,
    keep: Callable[[Planned, HeldUp], R],
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> PlanResult[R]:
    """As `plan`, and of each host only that is kept which `keep` makes of it: a snapshot is large.

    It is called as soon as that host has been planned, from several threads.
    """
    _refuse_taken(arguments.out)  # a mistake is told before any host is asked
    policy, config = arguments.library.policy(), arguments.library.config()
    runbook = arguments.library.runbook(arguments.runbook, arguments.parameters)
    asked, own = tuned(arguments.library, arguments.runbook, runbook, arguments.parameters, arguments.hosts)
    known = Once(partial(_known, arguments, config))
    kept, remembering = _Kept(config, saving=arguments.out is not None), Remembering(arguments.history)

    def said(reached: Reached) -> R:
        mine, now = own.get(reached.name, runbook), known()
        return keep(*kept.of(_planned(mine, reached, now.done, rules_for(config, reached.host, _mode(arguments))), now))

    if arguments.distribute:
        listening = _listening(lambda planned, held: keep(*kept.told(planned, held)), known, notice, stop)
        told = _elsewhere(arguments, runbook, asked, config, listening)
        return _result(arguments, runbook, told, kept, known().off)
    with closing(StoredRecall(lambda: arguments.stored(config))) as past:
        hosts = read(
            ReadArguments(
                hosts=asked,
                facts=partial(_facts, (*runbook.facts, *arguments.besides), config, asked),
                sampling=sampling_of(arguments.watch, runbook.spec.sample, asked),
                connectors=arguments.connectors,
                policy=policy,
                watching=arguments.watch is not None,
                notice=notice,
                stop=stop or threading.Event(),
                work=known,
                past=past,
            ),
            remembering.noting(said),
        )
    remembering.write(arguments.stored(config), notice)
    return _result(arguments, runbook, hosts, kept, known().off)


def _result(arguments: PlanArguments, runbook: Runbook, hosts: Sequence[R], kept: _Kept, off: str) -> PlanResult[R]:
    if saved := None if kept.interrupted else arguments.out:
        _save(saved, arguments, [kept.plans[host.name] for host in arguments.hosts if host.name in kept.plans])
    opened = {host.name: kept.held_up[host.name].open for host in arguments.hosts}
    freezes = {host.name: kept.held_up[host.name].freezes for host in arguments.hosts}
    return PlanResult(runbook, tuple(hosts), opened, freezes, off, saved)


def _elsewhere(
    arguments: PlanArguments, runbook: Runbook, hosts: Sequence[Host], config: Config, listening: LooksTold[R]
) -> list[R]:
    from memrunbook.app.looking_elsewhere import look_elsewhere
    from memrunbook.core.run.placed import PlacedLook

    placed = PlacedLook(
        actor=arguments.actor,
        runbook=arguments.runbook,
        digest=runbook.digest,
        parameters=dict(arguments.parameters),
        watch=arguments.watch,
        history=arguments.history,
        besides=arguments.besides,
        waits=arguments.waits,
        full=arguments.full,
    )
    return look_elsewhere(hosts, placed, arguments.stored(config), listening)


def _listening(
    keep: Callable[[Planned, HeldUp], R], known: Callable[[], _Known], notice: Notice, stop: threading.Event | None
) -> LooksTold[R]:
    from memrunbook.app.carried_looks import unpack_planned
    from memrunbook.app.looking_elsewhere import LooksTold

    return LooksTold(
        keep=lambda host, look: keep(*unpack_planned(look, host)),
        fail=lambda reached: keep(Planned(reached), HeldUp((), (), known().off)),
        notice=notice,
        stop=stop or threading.Event(),
    )


def _mode(arguments: PlanArguments) -> Mode:
    """The command that will carry it out."""
    return "apply" if arguments.out is not None or arguments.waits else "run"


class _Kept:
    """What is needed of the hosts at the end, whatever else is kept of them; told from several threads."""

    def __init__(self, config: Config, *, saving: bool) -> None:
        self._config, self._saving = config, saving
        self.plans: dict[str, Plan] = {}
        self.held_up: dict[str, HeldUp] = {}
        self.interrupted = False

    def of(self, planned: Planned, known: _Known) -> tuple[Planned, HeldUp]:
        """The plan as it is saved, where it is, and what holds it up."""
        reached = planned.reached
        return self.told(planned, HeldUp(_open_on(reached, known.left), _frozen(self._config, reached.host), known.off))

    def told(self, planned: Planned, held: HeldUp) -> tuple[Planned, HeldUp]:
        """The same of what is known to hold it up."""
        reached = planned.reached
        self.held_up[reached.name] = held
        self.interrupted = self.interrupted or isinstance(reached.error, Interrupted)
        if not self._saving or planned.plan is None:
            return planned, held
        from memrunbook.app.saving import lasting

        self.plans[reached.name] = lasting(planned.plan, self._config)
        return replace(planned, plan=self.plans[reached.name]), held


def _refuse_taken(out: Path | None) -> None:
    if out is not None:
        from memrunbook.state.plans import refuse_taken

        refuse_taken(out)


def _facts(wanted: Sequence[str], config: Config, hosts: Iterable[Host]) -> Collection[str]:
    listed = HostRules(tuple(one for host in hosts for one in rules_for(config, host, "run").untouchable))
    return listed.reads(tuple(dict.fromkeys(wanted)))


class _Known(NamedTuple):
    """What every host is planned by: what is handled already, what runs left open, and why nothing may be changed."""

    done: Mapping[str, Handled]
    left: tuple[OpenStep, ...]
    off: str


def _known(arguments: PlanArguments, config: Config) -> _Known:
    from memrunbook.app.braking import switched_off
    from memrunbook.app.handling import handled_for_looks
    from memrunbook.state.left_open import left_open
    from memrunbook.state.runs import runs

    known = runs(arguments.state)
    stored = arguments.stored(config)
    off, done = switched_off(stored), handled_for_looks(arguments.state, known, stored)
    return _Known(done, left_open(arguments.state, known), off)


def _save(path: Path, arguments: PlanArguments, plans: list[Plan]) -> None:
    from memrunbook.app.saving import save

    save(path, arguments, plans)


def _frozen(config: Config, host: Host) -> tuple[FrozenNow, ...]:
    from memrunbook.runtime.clock import SystemClock

    now = SystemClock().now().utc
    held = frozen_now(config.freeze, host.name, now)
    hint = through(window for window, _ in held)
    return tuple(FrozenNow(one.name, until, freeze_words(one, until, now), hint) for one, until in held)


def _open_on(reached: Reached, left: Iterable[OpenStep]) -> tuple[OpenStep, ...]:
    snapshot = reached.snapshot
    return tuple(one for one in left if (one.is_on(snapshot) if snapshot is not None else one.host == reached.name))


def _planned(runbook: Runbook, reached: Reached, done: Mapping[str, Handled], rules: HostRules) -> Planned:
    from memrunbook.core.plan.diagnosis import diagnose_one
    from memrunbook.core.plan.planner import make_plan
    from memrunbook.runtime.judging import JUDGING

    if reached.snapshot is None:
        return Planned(reached)
    snapshot = structs.replace(seen(reached.snapshot, done, [runbook.name])[runbook.name], rules=rules)
    with JUDGING:
        return Planned(reached, diagnose_one(runbook, snapshot), make_plan(runbook, snapshot))
