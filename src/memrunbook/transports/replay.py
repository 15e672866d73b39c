"""A host that is only a recording: answers probes with recorded samples, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.fact import Sample
from memrunbook.core.reading.probe import CASE, MARK, read_sample, write_sample
from memrunbook.runtime.ports import Output
from memrunbook.transports.shared.reach import Reach, Way

_BEGIN = f"@@{CASE} begin "


def way(_reach: Reach) -> Way:
    """The recording that the host names as its source."""
    return lambda host: ReplayConnector(Path(host.source))


class ReplayConnector:
    """Opens a bundle: samples in the wire format with the nonce `case`, one after another."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self) -> ReplaySession:
        """Reads the bundle. Raises UsageError when it cannot be read or holds no sample."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(self._path)) from error
        samples = [read_sample(_BEGIN + part, CASE) for part in text.split(_BEGIN)[1:]]
        if not samples:
            raise UsageError("holds no recorded sample", where=str(self._path))
        return ReplaySession(samples)


class ReplaySession:
    """Answers the n-th probe with the n-th sample; whatever else is asked, the shell is gone."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples: Iterator[Sample] = iter(samples)

    @property
    def identity(self) -> HostIdentity:
        return HostIdentity(address="replay")

    @property
    def root(self) -> bool:
        return False

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Carries out nothing."""
        del timeout, limit
        sample = next(self._samples, None) if script.startswith(MARK) else None
        if sample is None:
            return Output(status=None, text="", lost=True)
        text = write_sample(sample, args[0])
        return Output(status=0 if sample.complete else None, text=text, lost=not sample.complete)

    def close(self) -> None:
        """There is nothing to let go of."""
