"""A dry run: real checks, real decisions, nothing changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, structs

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.once import Once
from memrunbook.app.reading import ReadArguments, read, sampling_of, seen
from memrunbook.app.ruling import freeze_words, frozen_now, rules_for, through
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
    from memrunbook.core.run.flight import OpenStep
    from memrunbook.documents.config import Config
    from memrunbook.runtime.handled import Handled


@dataclass(frozen=True, kw_only=True)
class PlanArguments:
    """A runbook by name or path, and its parameters as text; `watch` reads for so many seconds before it judges.

    `out` names a file that the plans are saved in.
    """

    runbook: str
    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    out: Path | None = None
    actor: Actor = field(default_factory=this_actor)


class FrozenNow(Struct, frozen=True):
    """A freeze that holds on a host: its name, until when (seconds since 1970), whose word it is, and what to do."""

    name: str
    until: float
    told: str
    hint: str


@dataclass(frozen=True)
class PlanResult:
    """The runbook and what it would do on each host, in their order; and what runs left open on each, by its name.

    `freezes` are the freeze windows in which nothing is changed there now, by the host's name.
    `off` says why nothing may be changed now, where changes are switched off. `saved` is the file that holds the plans.
    """

    runbook: Runbook
    hosts: tuple[Planned, ...]
    open: Mapping[str, tuple[OpenStep, ...]] = field(default_factory=dict)
    freezes: Mapping[str, tuple[FrozenNow, ...]] = field(default_factory=dict)
    off: str = ""
    saved: Path | None = None


def plan(
    arguments: PlanArguments,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    told: Callable[[Planned, str], object] = lambda _planned, _off: None,
) -> PlanResult:
    """Plans on every host; nothing is changed.

    A host that was not reached has its error in the result; after Ctrl-C, or once `stop` is set, those that had not
    been read carry Interrupted (one alone raises it), and nothing is saved. UsageError or DocumentError for what cannot
    be asked. Each host is `told` when it has been planned, from several threads, with why nothing may be changed.
    """
    _refuse_taken(arguments.out)  # a mistake is told before any host is asked
    policy = arguments.library.policy()
    config = arguments.library.config()
    runbook = arguments.library.runbook(arguments.runbook, arguments.parameters)
    own = tuned(arguments.library, arguments.runbook, runbook, arguments.parameters, arguments.hosts)
    rules = partial(rules_for, config, mode="apply" if arguments.out is not None else "run")  # what will carry it out
    known = Once(partial(_known, arguments, config))

    def said(reached: Reached) -> Planned:
        planned = _planned(own.get(reached.name, runbook), reached, known().done, rules(reached.host))
        told(planned, known().off)
        return planned

    planned = read(
        ReadArguments(
            hosts=arguments.hosts,
            facts=partial(_facts, runbook, config, arguments.hosts),
            sampling=sampling_of(arguments.watch, runbook.spec.sample, arguments.hosts),
            connectors=arguments.connectors,
            policy=policy,
            watching=arguments.watch is not None,
            notice=notice,
            stop=stop or threading.Event(),
            work=known,
        ),
        said,
    )
    opened = {one.reached.name: _open_on(one.reached, known().left) for one in planned}
    saved = None if any(isinstance(one.reached.error, Interrupted) for one in planned) else arguments.out
    if saved is not None:
        planned = _save(saved, arguments, config, planned)
    return PlanResult(runbook, tuple(planned), opened, _frozen(config, arguments.hosts), known().off, saved)


def _refuse_taken(out: Path | None) -> None:
    if out is not None:
        from memrunbook.state.plans import refuse_taken

        refuse_taken(out)


def _facts(runbook: Runbook, config: Config, hosts: Iterable[Host]) -> Collection[str]:
    listed = HostRules(tuple(one for host in hosts for one in rules_for(config, host, "run").untouchable))
    return listed.reads(tuple(runbook.facts))


class _Known(NamedTuple):
    """What every host is planned by: what is handled already, what runs left open, and why nothing may be changed."""

    done: Mapping[str, Handled]
    left: tuple[OpenStep, ...]
    off: str


def _known(arguments: PlanArguments, config: Config) -> _Known:
    from memrunbook.app.braking import switched_off
    from memrunbook.app.stored import Stored
    from memrunbook.state.handled import handled
    from memrunbook.state.left_open import left_open
    from memrunbook.state.runs import runs

    known = runs(arguments.state)
    off = switched_off(Stored(arguments.state, config))
    return _Known(handled(arguments.state, known), left_open(arguments.state, known), off)


def _save(path: Path, arguments: PlanArguments, config: Config, planned: list[Planned]) -> list[Planned]:
    from memrunbook.app.saving import lasting, save

    planned = [replace(one, plan=lasting(one.plan, config)) if one.plan else one for one in planned]
    save(path, arguments, [one.plan for one in planned if one.plan is not None])
    return planned


def _frozen(config: Config, hosts: Iterable[Host]) -> dict[str, tuple[FrozenNow, ...]]:
    from memrunbook.runtime.clock import SystemClock

    now, found = SystemClock().now().utc, {}
    for host in hosts:
        held = frozen_now(config.freeze, host.name, now)
        hint = through(window for window, _ in held)
        found[host.name] = tuple(FrozenNow(one.name, until, freeze_words(one, until, now), hint) for one, until in held)
    return found


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
