"""Holds a reading of a host against what is known of it from earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from memrunbook.core.errors import RunbookError
from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.fact import EarlierReadings, Fact, Reading, Unavailable
from memrunbook.core.reading.series import Series
from memrunbook.core.units import DAY
from memrunbook.runtime.judging import JUDGING
from memrunbook.runtime.ports import Past

KNOWN_SECONDS = 7 * DAY
"""Who leaks is told from so much: a leak that began a month ago shows in it, one that was mended then does not."""

Readings = dict[str, Reading | Unavailable]


@dataclass
class Recollection:
    """What one reader of a host remembers of it; the past is asked once, at the first reading, and then kept.

    Without a past, and where it cannot be read, nothing is remembered, and the readings say why.
    """

    past: Past | None = None
    _series: tuple[Series, ...] | None = field(default=None, init=False)
    _problem: str = field(default="", init=False)

    def completed(
        self, readings: Readings, facts: Mapping[str, Fact], host: str, identity: HostIdentity, at: float
    ) -> Readings:
        """The readings with what their facts say of them in the light of earlier ones; `at` in seconds since 1970."""
        recalling = [
            name
            for name, reading in readings.items()
            if not isinstance(reading, Unavailable) and name in facts and facts[name].recall
        ]
        if not recalling:
            return readings
        earlier = EarlierReadings(
            at, readings, self._known(host, identity.machine_id, at), self._problem, identity.boot_id
        )
        with JUDGING:
            told = {name: _told(facts[name], readings[name], earlier) for name in recalling}
        return {**readings, **told}

    def _known(self, host: str, machine: str, at: float) -> tuple[Series, ...]:
        if self._series is None:
            try:
                self._series = self.past.series(host, machine, at - KNOWN_SECONDS) if self.past is not None else ()
            except RunbookError as error:  # a host is read and judged whatever its history is
                self._series, self._problem = (), error.message
        return self._series


def _told(fact: Fact, reading: Reading | Unavailable, earlier: EarlierReadings) -> Reading | Unavailable:
    return fact.recall(reading, earlier) if fact.recall is not None else reading
