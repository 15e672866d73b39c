"""What must hold after chaos: no once-only effect twice, none that nobody tells of, and all who tell agree. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

STEPS = ("one", "two", "three", "four")
CARRIED_OUT = {"done", "executed"}
MAY_HAVE_BEGUN = CARRIED_OUT | {"failed", "unknown", "interrupted"}
"""What is truly said of a step that has left a line on its host."""
OPEN = {"unknown", "interrupted", "unreachable"}
"""How a run ends that leaves its lock and its marks: somebody must look."""


@dataclass(frozen=True)
class Told:
    """How a run ended on one host, by somebody's word: the outcome, and the state of each step by its id."""

    outcome: str
    steps: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Front:
    """A `runbook run --distribute`: `order` stands in every line of its effects; `ended` is False where it never did.

    `code` is its exit code; `told` what it said of each host, of those that it was to change.
    """

    order: str
    hosts: tuple[str, ...]
    run: str = ""
    code: int | None = 0
    told: Mapping[str, Told] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return bool(self.told)


@dataclass(frozen=True)
class Part:
    """A part as the store has it."""

    id: str
    run: str
    host: str
    state: str
    outcome: str
    attempt: int
    node: str


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end.

    `lines` are those of each host's effects: "begun STEP ORDER" and "ended STEP ORDER". `journals` are by part, then by
    node; `audits` what is wrong with each state directory; `left` the locks and marks on each host.
    """

    fronts: Sequence[Front]
    lines: Mapping[str, Sequence[str]]
    parts: Sequence[Part]
    journals: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)
    audits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    jobs: int = 0
    left: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wrong:
    """Something that must not be: of what kind, and what it is."""

    kind: str
    what: str


def judged(found: Evidence) -> list[Wrong]:
    """All that is wrong, the worst first."""
    known = {
        (front.order, host): _Effects.of(found.lines.get(host, ()), front.order)
        for front in found.fronts
        for host in front.hosts
    }
    return [
        *_twice(known),
        *_at_once(known),
        *_strangers(found),
        *_unended(found, known),
        *_lost(found, known),
        *_invented(found, known),
        *_disagreeing(found),
        *_unfinished(found),
        *(Wrong("audit", f"{where}: {what}") for where, all_ in found.audits.items() for what in all_),
        *_left(found),
    ]


@dataclass(frozen=True)
class _Effects:
    """What one run did on one host, by step, in the order in which it was done."""

    events: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, lines: Sequence[str], order: str) -> _Effects:
        words = (line.split() for line in lines)
        return cls(tuple((one[0], one[1]) for one in words if len(one) == 3 and one[2] == order))

    def count(self, event: str, step: str) -> int:
        return Counter(self.events)[event, step]


_Known = Mapping[tuple[str, str], _Effects]


def _twice(known: _Known) -> Iterator[Wrong]:
    for (order, host), effects in known.items():
        for step in STEPS:
            if (times := effects.count("begun", step)) > 1:
                yield Wrong("twice", f"{order} {host}: step {step} was begun {times} times")


def _at_once(known: _Known) -> Iterator[Wrong]:
    """A step that begins while one before it is at work: two engines were at the same run."""
    for (order, host), effects in known.items():
        under_way: set[str] = set()
        for event, step in effects.events:
            if event == "begun":
                if under_way:
                    yield Wrong("at once", f"{order} {host}: step {step} began while {sorted(under_way)} was at work")
                under_way.add(step)
            under_way -= {step} if event == "ended" else set()


def _strangers(found: Evidence) -> Iterator[Wrong]:
    """Lines of nobody: the runbook writes one word for a step and one for the order of its run."""
    wanted = {(front.order, host) for front in found.fronts for host in front.hosts}
    for host, lines in found.lines.items():
        for line in lines:
            words = line.split()
            if len(words) != 3 or (words[2], host) not in wanted or words[1] not in STEPS:
                yield Wrong("stranger", f"{host}: {line!r} is of no run")


def _unended(found: Evidence, known: _Known) -> Iterator[Wrong]:
    """A run that never ends, or ends by an error though something was begun: else it says truly that nothing was."""
    for front in found.fronts:
        begun = [host for host in front.hosts if known[front.order, host].events]
        if not front.ended and (front.code is None or begun):
            where = f"; begun on {', '.join(begun)}" if begun else ""
            yield Wrong("lost", f"{front.order}: the run has no end (exit code {front.code}){where}")


def _lost(found: Evidence, known: _Known) -> Iterator[Wrong]:
    """An effect of which the run does not tell that it may have begun."""
    for front in found.fronts:
        for host in front.hosts if front.ended else ():
            told = front.told.get(host, Told(""))
            for step in STEPS:
                state = told.steps.get(step, "not told")
                if known[front.order, host].count("begun", step) and state not in MAY_HAVE_BEGUN:
                    yield Wrong("lost", f"{front.order} {host}: step {step} was begun, and is called {state}")


def _invented(found: Evidence, known: _Known) -> Iterator[Wrong]:
    """A step that is called carried out and was not, or not to its end: by the front's word, or by any journal."""
    parts = {(part.run, part.host): part.id for part in found.parts}
    for front in found.fronts:
        for host in front.hosts:
            journals = found.journals.get(parts.get((front.run, host), ""), {})
            words = [*({"front": front.told[host]} if host in front.told else {}).items(), *journals.items()]
            for who, told in words:
                for step, state in told.steps.items():
                    effects = known[front.order, host]
                    if state in CARRIED_OUT and not (effects.count("begun", step) and effects.count("ended", step)):
                        yield Wrong("invented", f"{front.order} {host}: {who} calls step {step} {state}; it was not")


def _disagreeing(found: Evidence) -> Iterator[Wrong]:
    """The front's outcome, the store's and that of the journal of the node that ended the part are one.

    Where that node only gave the lock back of what another one had ended, a journal of that one has the outcome.
    """
    fronts = {front.run: front for front in found.fronts if front.ended}
    for part in found.parts:
        front = fronts.get(part.run)
        if part.state != "ended" or front is None or part.host not in front.told:
            continue
        said = {"front": front.told[part.host].outcome, "store": part.outcome}
        ends = {node: told.outcome for node, told in found.journals.get(part.id, {}).items() if told.outcome}
        if part.node in ends:
            said[part.node] = ends[part.node]
        elif part.outcome not in ("refused", *ends.values()):
            yield Wrong("disagree", f"{front.order} {part.host} ({part.id}): no journal has its end")
        if len(set(said.values())) > 1:
            yield Wrong("disagree", f"{front.order} {part.host} ({part.id}): {said}")


def _unfinished(found: Evidence) -> Iterator[Wrong]:
    """A part without an end, though its run has one; a job that nobody needs any more."""
    ended = {front.run: front for front in found.fronts if front.ended}
    for part in found.parts:
        if part.state not in ("ended", "withdrawn") and part.run in ended:
            told = ended[part.run].told.get(part.host, Told("nothing")).outcome
            yield Wrong("unfinished", f"{part.id} {part.host}: {part.state} in the store; the front says {told}")
    if found.jobs:
        yield Wrong("unfinished", f"{found.jobs} jobs are in the queue")


def _left(found: Evidence) -> Iterator[Wrong]:
    """Locks and marks of a run that has left nothing open."""
    outcomes = {part.id: part.outcome for part in found.parts}
    for host, names in found.left.items():
        for name in names:
            part = next((one for one in outcomes if one in name), "")
            if outcomes.get(part, "nobody's") not in OPEN:
                yield Wrong("left", f"{host}: {name} of a run that is {outcomes.get(part, 'of nobody')}")
