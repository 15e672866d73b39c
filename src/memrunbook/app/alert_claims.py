"""Has alerts for itself while they are answered: who dies in the middle of it lets go of them by himself, soon."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from memrunbook.app.alert_ends import FiredOn
from memrunbook.core.errors import RunbookError
from memrunbook.runtime.clock import SystemClock

if TYPE_CHECKING:
    from memrunbook.state.store.changes import Store

RENEWED = 30.0
"""Seconds between two words that it is still at work; the store lets go after several without one."""


class Claimed:
    """The alerts that are answered now, as a context. What was not `answered` at its end is tried when told again."""

    def __init__(self, store: Store, due: Sequence[FiredOn]) -> None:
        self._store, self._left, self._over = store, list(due), threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        if self._left:
            with suppress(RuntimeError):  # ulimit -u: what takes longer than the claim may be answered twice
                self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        from memrunbook.state.store.alerts import not_answered

        self._over.set()
        if self._renewing.ident is not None:
            self._renewing.join()
        for one in self._left:
            not_answered(self._store, one.alert.fingerprint)
        self._left = []

    def answered(self, done: Iterable[FiredOn]) -> None:
        """These are answered, and counted from now on; the others are given back."""
        from memrunbook.state.store.alerts import was_answered

        kept = list(done)
        was_answered(self._store, [one.alert.fingerprint for one in kept], SystemClock().now().utc)
        self._left = [one for one in self._left if one not in kept]

    def _renew(self) -> None:
        from memrunbook.state.store.alerts import still_answering

        fingerprints = [one.alert.fingerprint for one in self._left]
        while not self._over.wait(RENEWED):
            with suppress(RunbookError):
                still_answering(self._store, fingerprints, SystemClock().now().utc)
