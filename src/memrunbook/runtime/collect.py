"""Collects many facts in one round trip a sample, and parses them into a snapshot."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache

from msgspec import structs

from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import (
    Answer,
    Fact,
    Question,
    Reading,
    Sample,
    Samples,
    Unavailable,
)
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.core.reading.snapshot import NOT_READ, Snapshot
from memrunbook.core.reading.trend import LEAST_POINTS
from memrunbook.facts.shared.filling import is_overtaken
from memrunbook.runtime.judging import JUDGING
from memrunbook.runtime.life import Life, Pause
from memrunbook.runtime.packing import packed
from memrunbook.runtime.ports import Clock, Output, Past, Session
from memrunbook.runtime.recall import Recollection
from memrunbook.runtime.samples import answers, asks_pattern, key_of, repeated, under, with_details
from memrunbook.runtime.silence import stopped_answering

PROBE_SECONDS = 60.0
PROBE_BYTES = 4 << 20
PACKED_SECONDS = 1.0
"""Who waits as long for the next sample keeps the large answers of the first one packed meanwhile."""
VALID_SECONDS = 120.0
"""A sample older than this is no previous sample any more."""

_CANNOT_FORK = re.compile(r"(cannot|can't) fork|fork: ", re.IGNORECASE)

Readings = dict[str, Reading | Unavailable]

_probe = lru_cache(maxsize=64)(build_probe)
"""Every host is asked the same: the script of a question is a constant, and no answer is part of it."""


@dataclass(frozen=True)
class Taken:
    """A sample, which questions it repeats, and whether the shell could start programs.

    `at` is when the host began to answer: on a slow one long after the question, and intervals count from there.
    `silent` are the seconds in which it said nothing at all, 0 where it said something.
    """

    sample: Sample
    at: Instant
    asked: frozenset[Question]
    fork_ok: bool = True
    lost: bool = False
    silent: float = 0.0


@dataclass
class Collector:
    """Reads facts of one host through one session; keeps its last sample, so that the next read has a rate at once.

    Each read may take `patience` (seconds; 0: PROBE_SECONDS). `on_first` is told once, in the thread that reads, what
    the first sample says, before the wait for the next one: without rates, and without the facts that ask again when
    all samples are taken. Where no next sample is waited for, it is told nothing. `identity` is the host's as it was
    last read. `past` is what is known of it from earlier; it is asked once, at the first reading.
    """

    host: Host
    session: Session
    clock: Clock
    facts: Mapping[str, Fact]
    patience: float = 0.0
    on_first: Callable[[Snapshot], None] | None = None
    past: Past | None = None
    identity: HostIdentity = field(default_factory=HostIdentity, init=False)
    _previous: Taken | None = field(default=None, init=False)
    _watched: Samples = field(default=(), init=False)
    _recollection: Recollection = field(init=False)

    def __post_init__(self) -> None:
        """What is remembered belongs to this reader."""
        self._recollection = Recollection(self.past)

    @property
    def readings(self) -> dict[str, type[Reading]]:
        """What the facts read, by their names."""
        return {name: fact.reading for name, fact in self.facts.items()}

    def changed(self) -> None:
        """Forgets the samples: something was changed on the host, and no rate may span that."""
        self._previous = None

    def collect(
        self,
        names: Collection[str],
        *,
        count: int,
        every: float,
        at_work: bool = False,
        alone: Collection[str] = (),
    ) -> Life[Snapshot]:
        """Reads the named facts and those they need, in `count` samples that are `every` seconds apart; asks to wait.

        What those that are read `alone` need is read only where others need it too.

        A valid sample of an earlier read stands for all but one of them; for a watch only an earlier watch does, with
        all its samples, as long as nothing is changed: what they tell apart, two cannot. Whoever is left waiting for
        too long (all workers were at gates) begins anew. A watch that memory will not outlast ends early. What could
        not be read is Unavailable; SessionLost where the host said nothing at all until the deadline.
        """
        order = ordered(names, self.facts, alone)
        asks = [ask for name in order for ask in self.facts[name].asks]
        started = self.clock.now()
        previous = self._valid_previous(asks)
        watched = self._watched if previous else ()
        if count >= LEAST_POINTS and not watched:
            previous = None
        if previous and count > 1 and (yield from self._wait(previous.at, every, at_work=at_work)):
            previous = None
        full = self._take(asks, repeat=False)
        if full.silent:
            raise stopped_answering(full.silent)
        samples: Samples = (full.sample,)
        if previous and (count > 1 or full.at.since(previous.at) >= every):
            first, *later = watched or (previous.sample,)
            samples = (under(first, full.sample, asks), *later, full.sample)
        elif count > 1 and full.sample.complete:
            self._tell_first(order, full, started)
            full, samples = yield from self._repeat(full, asks, count, every, at_work=at_work)
        self.on_first = None  # a later reading is no first look: it may be of what was changed meanwhile
        self._watched = samples if len(samples) >= LEAST_POINTS else ()
        readings, can_fork = self._parse(order, samples)
        return self._snapshot(readings, samples, started, fork_ok=full.fork_ok and can_fork, lost=full.lost)

    def _snapshot(
        self, readings: Readings, samples: Samples, started: Instant, *, fork_ok: bool = True, lost: bool = False
    ) -> Snapshot:
        finished = self.clock.now()
        identity = _identified(self.session.identity, readings)
        self.identity = identity if identity.machine_id else self.identity
        readings = self._recollection.completed(readings, self.facts, self.host.name, self.identity, finished.utc)
        return Snapshot(
            host=self.host.name,
            identity=identity,
            taken_at=finished,
            readings=_tagged(readings, self.host),
            samples=len(samples),
            span=samples[-1].before - samples[0].before,
            seconds=finished.since(started),
            fork_ok=fork_ok,
            lost=lost,
            no_root=self.session.no_root,
        )

    def _tell_first(self, order: list[str], first: Taken, started: Instant) -> None:
        tell, self.on_first = self.on_first, None
        if tell is not None:
            later = following(order, self.facts)
            with JUDGING:
                readings = parse([name for name in order if name not in later], self.facts, (first.sample,))
            tell(self._snapshot(readings, (first.sample,), started))

    def _parse(self, order: list[str], samples: Samples) -> tuple[Readings, bool]:
        """Parses what was read; then asks once more what the facts that follow up want to know. False: cannot fork."""
        later = following(order, self.facts)
        with JUDGING:
            readings = parse([name for name in order if name not in later], self.facts, samples)
        asks = [ask for name in later for ask in _follow_ups(self.facts[name], readings)]
        can_fork = True
        if asks and samples[-1].complete:
            taken = self._ask(asks, repeat=False)
            can_fork = taken.fork_ok
            last = structs.replace(samples[-1], answers={**samples[-1].answers, **taken.sample.answers})
            samples = (*samples[:-1], last)
        with JUDGING:
            return parse(later, self.facts, samples, readings), can_fork

    def _valid_previous(self, asks: Collection[Question]) -> Taken | None:
        previous = self._previous
        if previous is None or self.clock.now().since(previous.at) > VALID_SECONDS:
            return None
        return previous if repeated(asks) <= previous.asked else None

    def _wait(self, since: Instant, seconds: float, *, at_work: bool) -> Life[bool]:
        """Waits until so much time has passed. True: it took so long that earlier samples are no longer valid."""
        began = self.clock.now()
        left = seconds - began.since(since)
        if left <= 0:
            return False
        yield Pause(left, at_work)
        return self.clock.now().since(began) > left + VALID_SECONDS

    def _repeat(
        self, full: Taken, asks: Collection[Question], count: int, every: float, *, at_work: bool
    ) -> Life[tuple[Taken, Samples]]:
        samples, taken = [full.sample], full
        try:
            with packed(full.sample) if every >= PACKED_SECONDS else nullcontext():
                while len(samples) < count and taken.sample.complete:
                    late = yield from self._wait(taken.at, every, at_work=at_work)
                    taken = self._take(asks, repeat=not late)
                    if late:
                        full, samples = taken, [taken.sample]
                    elif taken.sample.complete:
                        samples.append(taken.sample)
                    if count >= LEAST_POINTS and is_overtaken(tuple(samples), every, (count - len(samples)) * every):
                        break
        except BaseException:
            self._previous = None  # what was taken last lacks the details of the first
            raise
        if taken is not full and taken.sample.complete:
            self._previous = replace(taken, sample=with_details(taken.sample, full.sample, asks))
        return replace(full, lost=full.lost or taken.lost), tuple(samples)

    def _take(self, asks: Collection[Question], *, repeat: bool) -> Taken:
        taken = self._ask(asks, repeat=repeat)
        self._previous = taken if taken.sample.complete else None
        return taken

    def _ask(self, asks: Collection[Question], *, repeat: bool) -> Taken:
        nonce = secrets.token_hex(8)
        script = _probe(tuple(asks), repeat=repeat)
        output = self.session.execute(script, (nonce,), timeout=self.patience or PROBE_SECONDS, limit=PROBE_BYTES)
        sample = read_sample(output.text, nonce)
        at = self.clock.now().earlier(sample.after - sample.before)
        last_words = output.text.rpartition(f"@@{nonce} ")[2]
        fork_ok = not (output.lost and _CANNOT_FORK.search(last_words))
        if not sample.complete:
            lost = output.lost and fork_ok
            silent = output.seconds if output.timed_out and not sample.answers else 0.0
            return Taken(_with_reasons(sample, asks, output, fork_ok=fork_ok), at, frozenset(), fork_ok, lost, silent)
        return Taken(sample, at, repeated(asks))


def ordered(names: Collection[str], facts: Mapping[str, Fact], alone: Collection[str] = ()) -> list[str]:
    """The named facts and all they need, each after those that it needs; those read `alone` last, and nothing for them.

    Whoever else needs one of these reads all that it needs.
    """
    order: list[str] = []

    def add(name: str) -> None:
        if name not in order:
            for need in facts[name].needs:
                add(need)
            order.append(name)

    for name in names:
        if name not in alone:
            add(name)
    return [*order, *(name for name in names if name in alone and name not in order)]


def following(order: Collection[str], facts: Mapping[str, Fact]) -> list[str]:
    """Those of these facts that ask again when all samples are taken, or need one that does."""
    later: list[str] = []
    for name in order:
        if facts[name].follow or set(facts[name].needs) & set(later):
            later.append(name)
    return later


def _follow_ups(fact: Fact, readings: Readings) -> tuple[Question, ...]:
    """A fact that follows up may ask by what those say that do not."""
    return fact.follow({need: readings[need] for need in fact.needs if need in readings}) if fact.follow else ()


def parse(
    order: Collection[str], facts: Mapping[str, Fact], samples: Samples, known: Readings | None = None
) -> Readings:
    """The readings of these facts and the known ones, each parsed after those that it needs."""
    readings: Readings = dict(known or {})
    for name in order:
        fact = facts[name]
        needed = {need: readings.get(need, NOT_READ) for need in fact.needs}
        readings[name] = _unasked_pattern(fact, samples[0]) or fact.parse(samples, needed)
    return readings


def _unasked_pattern(fact: Fact, sample: Sample) -> Unavailable | None:
    """In a sample cut short, a pattern without answers may never have been asked: that is not "there is none"."""
    if sample.complete:
        return None
    for ask in fact.asks:
        if asks_pattern(ask) and not any(answers(ask, key) for key in sample.answers):
            return Unavailable("failed", f"{key_of(ask)}: the read was cut short")
    return None


def _with_reasons(sample: Sample, asks: Collection[Question], output: Output, *, fork_ok: bool) -> Sample:
    reasons = {
        key_of(ask): Answer(problem=_reason(key_of(ask), output, fork_ok=fork_ok))
        for ask in asks
        if not asks_pattern(ask) and key_of(ask) not in sample.answers
    }
    return structs.replace(sample, answers={**sample.answers, **reasons})


def _reason(key: str, output: Output, *, fork_ok: bool) -> Unavailable:
    if not fork_ok:
        return Unavailable("failed", f"{key}: the host can start no process for this login (fork fails)")
    if output.timed_out:
        return Unavailable("timeout", f"{key}: no answer in {output.seconds:.0f} s")
    if output.truncated:
        return Unavailable("failed", f"{key}: left out, the answers exceed {PROBE_BYTES >> 20} MiB")
    return Unavailable("failed", f"{key}: the shell on the host ended before it was read")


def _tagged(readings: Readings, host: Host) -> Readings:
    """The readings with what the operator says of the host."""
    reading = readings.get("host")
    if not host.tags or reading is None or isinstance(reading, Unavailable):
        return readings
    return {**readings, "host": structs.replace(reading, tags=list(host.tags))}


def _identified(identity: HostIdentity, readings: Readings) -> HostIdentity:
    host = readings.get("host")
    return structs.replace(
        identity, machine_id=getattr(host, "machine_id", None) or "", boot_id=getattr(host, "boot_id", None) or ""
    )
