"""Enters a host for `doctor`, stage by stage, and finds out what this login can read and change there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from memrunbook import catalog
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import HostError, HostKeyError, RunbookError, SessionLost, SudoError, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.text import clean
from memrunbook.linux.abilities import ABILITIES, KERNEL, NEED_NO_ROOT, SCRIPT, SUDO, Ability, read_abilities
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.runtime.life import Life
from memrunbook.runtime.ports import Session
from memrunbook.runtime.silence import stopped_answering
from memrunbook.transports.shared.reach import JUMP_HOST, STAGES

SECONDS = 30.0
LOST = "the host, its sshd or something between them ended it: try again, or look at: runbook doctor --host HOST"
OF_ERRORS: tuple[tuple[type[RunbookError], str], ...] = (
    (UsageError, "configuration"),
    (HostKeyError, "host key"),
    (SudoError, "sudo"),
)
"""Stages for which errors stand that name none; any other error stands for the one behind the last that was passed."""


@dataclass(frozen=True, kw_only=True)
class EnteredHost:
    """What was found of one host, and why it could not be entered, where that was so."""

    host: str
    inspections: tuple[Inspection, ...]
    error: RunbookError | None = None


@dataclass(frozen=True)
class Needs:
    """Which runbooks need which fact and which action."""

    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def needs_of(runbooks: Iterable[Runbook]) -> Needs:
    """What these runbooks need, each list in their order."""
    facts: dict[str, list[str]] = defaultdict(list)
    actions: dict[str, list[str]] = defaultdict(list)
    for runbook in runbooks:
        for fact in sorted(runbook.diagnosis_facts):
            facts[fact].append(runbook.name)
        for action in dict.fromkeys(step.spec.action for step in runbook.steps):
            actions[action].append(runbook.name)
    return Needs({name: tuple(users) for name, users in facts.items()}, {n: tuple(u) for n, u in actions.items()})


class Entrance:
    """Enters hosts for `doctor`, by one set of connectors: files, keys and agents are read once for all of them."""

    def __init__(self, connectors: Connectors, needs: Needs) -> None:
        self._needs = needs
        self._passed: dict[str, dict[str, str]] = defaultdict(dict)
        self._connectors = Connectors(replace(connectors.reach, passed=self._followed), connectors.forks)

    def _followed(self, name: str, stage: str, said: str) -> None:
        self._passed[name][stage] = said  # the last word counts: another client may have had to take over

    def enter(self, host: Host) -> Life[EnteredHost]:
        """Enters one host and looks; nothing is changed there."""
        passed = self._passed[host.name]
        try:
            session = self._connectors.connector(host).connect()
        except (HostError, UsageError) as error:
            return EnteredHost(host=host.name, inspections=tuple(_stopped(passed, error)), error=error)
        way = [*_stages(passed), *_entered(session, host)]
        try:
            return EnteredHost(host=host.name, inspections=(*way, *(yield from _seen(host, session, self._needs))))
        except HostError as error:
            lost = Inspection(area="reads", name="facts", state="missing", said=error.message, remedy=error.hint)
            return EnteredHost(host=host.name, inspections=(*way, lost), error=error)
        finally:
            session.close()


def _seen(host: Host, session: Session, needs: Needs) -> Life[list[Inspection]]:
    """What can be read and changed there. SessionLost where the host does not answer any more."""
    abilities = session.execute(SCRIPT, timeout=SECONDS, limit=1 << 16)
    if abilities.timed_out:
        raise stopped_answering(abilities.seconds)
    able = [*_abilities(read_abilities(abilities.text), needs, root=session.root)]
    collector = Collector(host, session, SystemClock(), catalog.facts())
    snapshot = yield from collector.collect(sorted(catalog.standing_facts()), count=1, every=1.0)
    if snapshot.lost:
        raise SessionLost("the connection was lost while the host was being read", hint=LOST)
    return [*_read(snapshot, needs), *able]


def _stages(passed: Mapping[str, str]) -> Iterator[Inspection]:
    yield from (Inspection(area="way", name=stage, said=passed[stage]) for stage in STAGES if stage in passed)


def _stopped(passed: Mapping[str, str], error: RunbookError) -> Iterator[Inspection]:
    yield from _stages(passed)
    known = error.stage if isinstance(error, HostError) else ""
    by_kind = next((stage for kind, stage in OF_ERRORS if isinstance(error, kind)), "")
    stages = [stage for stage in STAGES if stage != JUMP_HOST or stage in passed]
    last = max((stages.index(stage) for stage in passed), default=-1)
    stage = known or by_kind or stages[min(last + 1, stages.index("shell"))]
    yield Inspection(area="way", name=stage, state="missing", said=error.message, remedy=error.hint)


def _entered(session: Session, host: Host) -> Iterator[Inspection]:
    user = session.identity.user or "this user"
    where = "this machine" if host.name == LOCAL else "the host"
    yield Inspection(area="way", name="shell", said=f"a POSIX shell on {where} answers")
    if session.root:
        yield Inspection(area="way", name="sudo", said="the shell is root's")
    elif session.no_root:
        said = f"sudo gave {user} no root: {clean(session.no_root)}"
        remedy = f"add -K, which asks for the password once; allow {user} `sudo -n sh -s` (NOPASSWD), or log in as root"
        yield Inspection(area="way", name="sudo", state="missing", said=said, remedy=remedy)
    else:
        yield Inspection(
            area="way", name="sudo", state="note", said="not asked for (--sudo never): as this user", remedy=""
        )


def _abilities(found: Mapping[str, str], needs: Needs, *, root: bool) -> Iterator[Inspection]:
    for one in ABILITIES:
        answer = found.get(one.name)
        if answer == "yes":
            yield Inspection(area=one.area, name=one.name, said=one.what.removeprefix("to "))
            continue
        state: InspectedState = "note" if answer == "absent" else "missing"
        said = {"no": f"not allowed {one.what}", "absent": f"nothing here {one.what}"}.get(
            str(answer), f"the host did not say whether it is possible {one.what}"
        )
        remedy = "" if answer == "absent" else _remedy(one, root=root)
        wanted = _wanted(one, needs)
        yield Inspection(area=one.area, name=one.name, state=state, said=said, remedy=remedy, wanted_by=wanted)


def _wanted(one: Ability, needs: Needs) -> tuple[str, ...]:
    """The actions that need it, each with the runbooks that use it."""
    if one.all_actions:
        names = sorted(set(needs.actions) - NEED_NO_ROOT)
        return (f"{len(names)} actions of {len({user for name in names for user in needs.actions[name]})} runbooks",)
    return tuple(f"{name} ({', '.join(needs.actions[name])})" for name in one.actions if name in needs.actions)


def _read(snapshot: Snapshot, needs: Needs) -> Iterator[Inspection]:
    """What could be read of the facts, and what this login may not read."""
    denied = {name: why for name, reading in snapshot.readings.items() if (why := _denied(reading))}
    failed = {
        name: reading.why
        for name, reading in snapshot.readings.items()
        if isinstance(reading, Unavailable) and reading.reason in ("failed", "timeout")
    }
    gone = [one for one in snapshot.readings.values() if isinstance(one, Unavailable) and one.reason == "absent"]
    total = len(snapshot.readings)
    whole = total - len(denied) - len(failed) - len(gone)
    without = f"; {len(gone)} are of what this host does not have" if gone else ""
    said = f"{whole} of {total} read, in {snapshot.seconds:.1f} s{without}"
    yield Inspection(area="reads", name="facts", said=said)
    for name, why in denied.items():
        yield _fact(name, f"not allowed: {why}", SUDO, needs)
    for name, why in failed.items():
        yield _fact(name, f"not read: {why}", "try again; it may be slow, or out of memory", needs)


def _remedy(ability: Ability, *, root: bool) -> str:
    """To be root comes first; what root may not do is hidden from it."""
    if root:
        return KERNEL if ability.remedy == SUDO else ability.remedy
    return SUDO if ability.remedy == KERNEL else ability.remedy


def _fact(name: str, said: str, remedy: str, needs: Needs) -> Inspection:
    wanted = needs.facts.get(name, ())
    return Inspection(area="reads", name=name, state="missing", said=clean(said), remedy=remedy, wanted_by=wanted)


def _denied(reading: Reading | Unavailable) -> str:
    parts: Sequence[Unavailable] = [reading] if isinstance(reading, Unavailable) else [*reading.unavailable.values()]
    return next((part.why for part in parts if part.reason == "denied"), "")
