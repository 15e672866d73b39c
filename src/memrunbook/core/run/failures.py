"""How the hosts of a run have ended so far, and whether so many have failed that no other one is begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from memrunbook.core.errors import NotBegun, RunbookError
from memrunbook.core.run.batches import Share, few
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.core.run.request import Asking, Lock, Request

FAILURES = frozenset({"failed", "unresolved", "unknown", "unreachable"})
"""Outcomes that count. A no at a gate, or of a rule of safety, does not: nothing has gone wrong there."""
WENT_WRONG = frozenset({"failed", "undone", "unknown"})
"""States of a step after which a refusal counts all the same."""
WELL: frozenset[Reported] = frozenset({"healthy", "resolved", "restored"})
"""Outcomes of hosts for which nothing is left to do."""
HINT = "see to that first, then begin the others: --retry-file FILE writes their names, --host @FILE reads them"


def has_failed(report: HostReport) -> bool:
    """True for a host that counts as a failure."""
    gone_wrong = any(step.state in WENT_WRONG for step in report.steps)
    return report.outcome in FAILURES or (report.outcome == "refused" and gone_wrong)


@dataclass
class Failures:
    """The hosts of a run that have ended, and how many of `hosts` may fail (None: all); safe with several threads."""

    hosts: int = 0
    most: Share | None = None
    ended: dict[str, HostReport] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def count(self, report: HostReport) -> None:
        """A host has come to its end."""
        self.ended[report.host] = report
        if has_failed(report):
            outcome = "" if report.outcome == "failed" else f" {report.outcome}"
            self.failed.append(f"{report.host}{outcome}")

    def reached(self) -> NotBegun | None:
        """Why no other host is begun; None while one may be."""
        failed = list(self.failed)
        if self.most is None or len(failed) < self.most.reached_at(self.hosts):
            return None
        count = f"{len(failed)} host{'s' * (len(failed) != 1)} failed ({few(failed)})"
        limit = f"{self.most.amount}% of {self.hosts} hosts" if self.most.percent else str(self.most.amount)
        return NotBegun(f"{count}, --max-failures {limit}", hint=HINT)

    def heed(self) -> None:
        """Raises NotBegun where no other host may be begun."""
        if (why := self.reached()) is not None:
            raise why


def unless_enough_failed(asking: Asking[None], failures: Failures) -> Asking[None]:
    """The same run of one host, told NotBegun where it wants the host's lock and enough hosts have failed by then.

    Until then it has only read: it may have waited for its samples, or for a place, while others failed.
    """
    go_on: Callable[[], Request] = partial(next, asking)
    while True:
        try:
            request = go_on()
        except StopIteration:
            return
        if isinstance(request, Lock) and (why := failures.reached()) is not None:
            go_on = partial(asking.throw, why)
            continue
        try:
            answer = yield request
        except RunbookError as error:
            go_on = partial(asking.throw, error)
        else:
            go_on = partial(asking.send, answer)
