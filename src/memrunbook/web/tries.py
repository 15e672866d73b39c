"""How often something may be tried: so many times in so many seconds, by all together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Tries:
    """`most` within a time (seconds). `now` is a clock that only goes forward."""

    now: Callable[[], float]
    most: int
    within: float
    _tried: deque[float] = field(default_factory=deque)

    def may_try(self) -> bool:
        """False where too many were made lately; this one counts."""
        now = self.now()
        while self._tried and self._tried[0] <= now - self.within:
            self._tried.popleft()
        if len(self._tried) >= self.most:
            return False
        self._tried.append(now)
        return True
