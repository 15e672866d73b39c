"""A double for every port of the runtime, for tests of the engine and of your own facts, actions and runbooks."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec

from memrunbook.core.errors import JournalError
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Sample
from memrunbook.core.reading.probe import MARK, write_sample
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.run.record import Envelope, plain
from memrunbook.core.run.request import Approval, AskApproval, GateAnswer
from memrunbook.runtime.jobs import Do, GiveBack, Job, TellAway, TellFailed
from memrunbook.runtime.ports import Output

START = Instant(utc=1_700_000_000.0, monotonic=0.0)
WELL = Output(0, "")
SCRIPTED = HostIdentity(address="scripted", host_key="SHA256:scripted", user="root")


class FixedClock:
    """Time that passes only when somebody sleeps; both clocks of an instant move together, seconds each."""

    def __init__(self, start: Instant = START) -> None:
        self._now = start

    def now(self) -> Instant:
        """This moment."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Moves on at once."""
        self._now = Instant(self._now.utc + seconds, self._now.monotonic + seconds)


class Call(msgspec.Struct, frozen=True):
    """One script that a session was given, with its arguments and its timeout in seconds."""

    script: str
    args: tuple[str, ...]
    timeout: float


@dataclass
class ScriptedSession:
    """A host that answers probes with `sample()` and every other script with `answer(call)`; `calls` holds the latter.

    An `answer` may raise: that is a connection that breaks in mid-command. `closed` tells whether it was let go of.
    """

    answer: Callable[[Call], Output] = lambda _: WELL
    sample: Callable[[], Sample] = lambda: Sample(0.0, 0.0, {})
    identity: HostIdentity = SCRIPTED
    root: bool = True
    no_root: str = ""
    calls: list[Call] = field(default_factory=list)
    closed: bool = False

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Answers as it was told to, bounded to `limit` characters."""
        if script.startswith(MARK):
            return Output(0, write_sample(self.sample(), args[0]))
        call = Call(script, tuple(args), timeout)
        self.calls.append(call)
        output = self.answer(call)
        return msgspec.structs.replace(output, text=output.text[:limit], truncated=len(output.text) > limit)

    def close(self) -> None:
        """Lets go of the host."""
        self.closed = True


@dataclass(frozen=True)
class ScriptedConnector:
    """Reaches the host of a session, or raises the error that it was given."""

    session: ScriptedSession = field(default_factory=ScriptedSession)
    error: Exception | None = None

    def connect(self) -> ScriptedSession:
        """The session."""
        if self.error is not None:
            raise self.error
        return self.session


@dataclass
class ScriptedApprover:
    """Gives the answers in turn, the last one for ever, for the digest shown; `asked` holds the questions.

    Its yes is one with the question's own word where that is needed, unless `again` is False.
    """

    answers: Sequence[GateAnswer] = ("yes",)
    how: str = "terminal"
    clock: FixedClock = field(default_factory=FixedClock)
    again: bool = True
    asked: list[AskApproval] = field(default_factory=list)

    def approve(self, host: str, question: AskApproval) -> Approval:
        """The next answer."""
        del host
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(question)
        again = question.again if self.again else ""
        return Approval(self.clock.now(), answer, question.step.digest, who="a test", how=self.how, again=again)


@dataclass
class MemoryJournal:
    """Keeps records as JSON values; the append number `breaks_at` (from 0) and all behind it raise JournalError."""

    breaks_at: int | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)

    def append(self, envelope: Envelope) -> str:
        """Remembers one record; its hash."""
        if self.breaks_at is not None and len(self.records) >= self.breaks_at:
            raise JournalError("the disk is full")
        text = msgspec.json.encode(plain(envelope))
        self.records.append(msgspec.json.decode(text))
        return hashlib.sha256(text).hexdigest()

    def save(self, name: str, text: str) -> tuple[str, str]:
        """Remembers a piece of evidence; its name and SHA-256."""
        self.evidence[name] = text
        return name, hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()

    def asked(self, kind: str) -> Iterable[dict[str, Any]]:
        """The questions of one kind ("Execute", "ReadFacts", …) in the order they were asked."""
        return [r["request"] for r in self.records if r["event"] == "asked" and r["request"]["type"] == kind]


@dataclass
class MemoryPast:
    """Keeps series by host; the same holder, figure and time once. With an `error` every question raises it.

    A host is known by its machine id, where it has one, else by its name. `asked` counts the questions.
    """

    error: Exception | None = None
    asked: int = 0
    hosts: dict[str, dict[tuple[Kind, str, str], dict[float, Observation]]] = field(default_factory=dict)

    def series(self, host: str, machine: str, since: float) -> tuple[Series, ...]:
        """The series of a host from a moment on."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        known = self.hosts.get(machine or host, {})
        return tuple(
            Series(kind, name, figure, tuple(points[at] for at in sorted(points) if at >= since))
            for (kind, name, figure), points in known.items()
        )

    def keep(self, host: str, machine: str, series: Sequence[Series]) -> None:
        """Adds points."""
        if self.error is not None:
            raise self.error
        known = self.hosts.setdefault(machine or host, {})
        for one in series:
            points = known.setdefault((one.kind, one.name, one.figure), {})
            for point in one.points:
                points.setdefault(point.at, point)


@dataclass
class MemoryJob:
    """A job of `MemoryJobs`: whether it is under way, how often it failed, and when it is due (monotonic, seconds)."""

    job: Job
    begun: bool = False
    failures: int = 0
    due: float = 0.0

    @property
    def lock(self) -> tuple[str, str]:
        """What no two jobs that are under way have in common."""
        return ("lock", self.job.lock) if self.job.lock else ("part", self.job.part)


@dataclass
class MemoryJobs:
    """A queue in this process, for any number of its threads that work; what is done is forgotten.

    `waits(failures)` is how many seconds a job rests that failed so often before.
    """

    waits: Callable[[int], float] = lambda failures: min(2.0**failures, 300.0)
    kept: dict[int, MemoryJob] = field(default_factory=dict)
    _numbers: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def defer(self, jobs: Sequence[Job]) -> tuple[int, ...]:
        """Puts all of them, and returns their numbers; for a part that waits already, the number it has."""
        with self._changed:
            return tuple(self._put(job) for job in jobs)

    def withdraw(self, numbers: Collection[int]) -> frozenset[int]:
        """Takes back those that wait, and returns them."""
        with self._changed:
            gone = frozenset(number for number in numbers if number in self.kept and not self.kept[number].begun)
            for number in gone:
                del self.kept[number]
            return gone

    def work(  # noqa: PLR0913  the port's
        self,
        sites: Collection[str],
        forks: int,
        do: Do,
        stop: threading.Event,
        *,
        failed: TellFailed = lambda _part, _error: None,
        away: TellAway = lambda _why: None,
    ) -> None:
        """Does jobs of these sites until `stop` is set; it is never away."""
        del away
        under_way = threading.Semaphore(forks)
        with ThreadPoolExecutor(forks) as threads:
            while not stop.is_set():
                if not under_way.acquire(timeout=0.05):
                    continue
                number = self._begin(sites)
                if number is None:
                    under_way.release()
                else:
                    threads.submit(self._do, number, do, failed).add_done_callback(lambda _: under_way.release())

    def _put(self, job: Job) -> int:
        for number, known in self.kept.items():
            if known.job.part == job.part and not known.begun:
                return number
        self._numbers += 1
        self.kept[self._numbers] = MemoryJob(job)
        self._changed.notify_all()
        return self._numbers

    def _begin(self, sites: Collection[str]) -> int | None:
        """The number of the next job, which is under way from now on; None where there is none in a moment."""
        with self._changed:
            taken = {known.lock for known in self.kept.values() if known.begun}
            for number, known in sorted(self.kept.items(), key=lambda one: (-one[1].job.priority, one[0])):
                if known.begun or known.lock in taken:
                    continue
                taken.add(known.lock)  # later ones with its lock wait behind it
                if known.job.site in sites and known.due <= time.monotonic():
                    known.begun = True
                    return number
            self._changed.wait(0.05)
            return None

    def _do(self, number: int, do: Do, failed: TellFailed) -> None:
        known, error = self.kept[number], None
        try:
            do(known.job.part)
        except BaseException as raised:  # noqa: BLE001  it is put back, whatever it was
            error = raised
        if error is not None and not isinstance(error, GiveBack):
            failed(known.job.part, error)
        with self._changed:
            twin = any(
                other is not known and not other.begun and other.job.part == known.job.part
                for other in self.kept.values()
            )
            if error is None or twin:
                del self.kept[number]
            else:
                given = isinstance(error, GiveBack)
                rest = error.seconds if isinstance(error, GiveBack) else self.waits(known.failures)
                known.begun, known.due = False, time.monotonic() + rest
                known.failures += 0 if given else 1
            self._changed.notify_all()
