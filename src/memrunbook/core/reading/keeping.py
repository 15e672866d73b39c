"""How long the history keeps what readings leave."""

from __future__ import annotations

from msgspec import Struct

from memrunbook.core.units import DAY, MINUTE


class Keeping(Struct, frozen=True):
    """Times in seconds: each point is kept for `fine`, then the hours that they fall in until they are `coarse` old.

    A host's readings are kept no more often than `apart`.
    """

    fine: float = 14.0 * DAY
    coarse: float = 395.0 * DAY
    apart: float = 1.0 * MINUTE
