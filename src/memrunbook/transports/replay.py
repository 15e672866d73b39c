"""A host that is only a recording: answers probes out of recorded samples, and does nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase, translate
from pathlib import Path

from msgspec import structs

from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.core.reading.probe import AGAIN, MARK, asked, is_pattern, write_sample
from memrunbook.runtime.ports import Output
from memrunbook.transports.shared.bundle import read_bundle
from memrunbook.transports.shared.reach import Reach, Way


def way(_reach: Reach) -> Way:
    """The recording that the host names as its source."""

    def connector(host: Host) -> ReplayConnector:
        if not host.source:
            raise UsageError("a recording is named by its file", where=host.name, hint="--replay FILE")
        return ReplayConnector(Path(host.source))

    return connector


class ReplayConnector:
    """Opens a bundle: samples in the wire format with the nonce `case`, one after another."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self) -> ReplaySession:
        """Reads the bundle. Raises UsageError for one that cannot be used, with what is wrong with it."""
        return ReplaySession(read_bundle(self._path))


class ReplaySession:
    """Answers each probe by what it asks for; whatever else is asked, the shell is gone.

    A probe gets the next sample that answers one of its questions: that is how time passes. What this sample does not
    tell, the others do; what none tells is absent. Without a sample left the state stays as it was, but a later look at
    what moves gets no answer.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._used = 0
        self._firsts: dict[str, Sample] = {}
        for sample in samples:
            for key in sample.answers:
                self._firsts.setdefault(key, sample)

    @property
    def identity(self) -> HostIdentity:
        return HostIdentity(address="replay")

    @property
    def root(self) -> bool:
        return False

    @property
    def no_root(self) -> str:
        return ""

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Carries out nothing."""
        del timeout, limit
        sample = self._sample(script) if script.startswith(MARK) else None
        if sample is None:  # a recording may end: no host is gone
            return Output(status=None, text="", lost=not script.startswith(AGAIN))
        text = write_sample(sample, args[0])
        return Output(status=0 if sample.complete else None, text=text, lost=not sample.complete)

    def _sample(self, script: str) -> Sample | None:
        keys = asked(script)
        sample = self._next(keys)
        if script.startswith(AGAIN) or not self._samples or (sample and not sample.complete):
            return sample
        return self._filled(sample, keys)

    def _next(self, keys: Collection[str]) -> Sample | None:
        """The next sample that answers one of the questions; those before it are over."""
        asks = _asked_in(keys)
        for place in range(self._used, len(self._samples)):
            if any(map(asks, self._samples[place].answers)):
                self._used = place + 1
                return self._samples[place]
        return None

    def _filled(self, sample: Sample | None, keys: Collection[str]) -> Sample:
        """The sample with what the others say of the questions that it leaves open."""
        if sample is None:
            sample = structs.replace(self._samples[max(0, self._used - 1)], answers={}, complete=True)
        answers = dict(sample.answers)
        for key in keys:
            if not _answering(sample, key):
                first = self._first(key)
                answers |= _answering(first, key) if first else _absent(key)
        return structs.replace(sample, answers=answers)

    def _first(self, key: str) -> Sample | None:
        """The first sample that answers a question."""
        if not is_pattern(key):
            return self._firsts.get(key)
        asks = _asked_in([key])
        return next((sample for path, sample in self._firsts.items() if asks(path)), None)

    def close(self) -> None:
        """There is nothing to let go of."""


def _asked_in(keys: Collection[str]) -> Callable[[str], bool]:
    """Whether an answer is to one of the questions; one look at each answer, however many questions there are."""
    plain = frozenset(key for key in keys if not is_pattern(key))
    matches = re.compile("|".join(translate(key) for key in keys if is_pattern(key)) or r"(?!)").match
    return lambda path: path in plain or matches(path) is not None


def _answering(sample: Sample, key: str) -> dict[str, Answer]:
    if is_pattern(key):
        return {path: answer for path, answer in sample.answers.items() if fnmatchcase(path, key)}
    return {key: sample.answers[key]} if key in sample.answers else {}


def _absent(key: str) -> dict[str, Answer]:
    """A pattern without an answer matches no file."""
    return {} if is_pattern(key) else {key: Answer(problem=Unavailable("absent", key))}
