"""Takes a run over its hosts: batch after batch, until as many hosts have failed as may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from memrunbook.app.notice import Notice
from memrunbook.core.errors import JournalError, NotBegun, UsageError
from memrunbook.core.host import Host
from memrunbook.core.run.batches import Rollout, batches
from memrunbook.core.run.failures import WELL, Failures
from memrunbook.core.run.report import HostReport
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.fleet import each
from memrunbook.runtime.life import Life
from memrunbook.state.retry_file import write_retry_file


@dataclass
class Rolling:
    """The batches of a run, all its hosts in their order, and what has failed of them so far.

    `stopped`: a person asked to stop before each of them had been begun. `alone`: there was nobody to begin them.
    """

    batches: list[Sequence[Host]]
    failures: Failures
    stopped: bool = False
    alone: bool = False

    @classmethod
    def of(cls, rollout: Rollout, hosts: Sequence[Host]) -> Rolling:
        """At its beginning, over these hosts."""
        return cls(batches(hosts, rollout.sizes), Failures(len(hosts), rollout.most))

    def run(
        self,
        due: Sequence[Host],
        life: Callable[[Host], Life[HostReport]],
        forks: int,
        stop: threading.Event,
        notice: Notice,
    ) -> list[HostReport]:
        """The reports of the hosts that are due, in their order: of a run that goes on some have ended before.

        A batch begins when each host of the one before has ended. A host that is not begun any more has a report too.
        """
        reports: list[HostReport] = []
        names = {host.name for host in due}
        for number, batch in enumerate(self.batches, 1):
            now = [host for host in batch if host.name in names]
            if now and len(self.batches) > 1 and self.failures.reached() is None and not stop.is_set():
                notice.batch(number, len(self.batches), now)
            reports += each(now, lambda host: self._counted(life(host)), forks, SystemClock(stop))
        left, why = [report for report in reports if report.outcome == "not_begun"], self.failures.reached()
        self.stopped = bool(left) and why is None
        self.alone = self.stopped and not stop.is_set()
        if left:  # by now others may have failed than when the first was not begun
            said = why.message if why is not None else wish_of(stop) or left[0].why
            notice.not_begun([report.host for report in left], said)
        return reports

    def heed(self, stop: threading.Event) -> None:
        """Raises NotBegun where no other host may be begun: enough have failed, or a person asked to `stop`."""
        self.failures.heed()
        if wish := wish_of(stop):
            raise NotBegun(wish)

    def _counted(self, life: Life[HostReport]) -> Life[HostReport]:
        report = yield from life
        self.failures.count(report)
        return report


def write_names(retry_file: str, hosts: Sequence[Host]) -> None:
    """Writes a retry file: before anything is done with all hosts, so that it is true of an engine that is killed, too.

    UsageError where that cannot be written.
    """
    if retry_file:
        write_retry_file(Path(retry_file), names_of(hosts))


def names_of(hosts: Sequence[Host]) -> str:
    """What a retry file holds of these hosts: one a line, as it is typed."""
    return "".join(f"{host.typed}\n" for host in hosts)


@dataclass
class Unwritten:
    """Why a retry file does not say how a run ended, where it does not."""

    error: JournalError | None = None


@contextmanager
def those_left(retry_file: str, hosts: Sequence[Host], ended: Mapping[str, HostReport]) -> Iterator[Unwritten]:
    """Keeps in a retry file, from now on to the end of the run or to where it is cut off, who has not ended well.

    UsageError where that cannot be written now. At the end it is said: what was done is done, and is told all the same.
    """
    write_names(retry_file, _left(hosts, ended))
    unwritten = Unwritten()
    try:
        yield unwritten
    except BaseException:
        with suppress(UsageError):
            write_names(retry_file, _left(hosts, ended))
        raise
    try:
        write_names(retry_file, _left(hosts, ended))
    except UsageError as error:  # that is no mistake of whoever typed the command
        hint = "the run itself has ended, and is sealed: runbook report shows it; the file names who was left before"
        unwritten.error = JournalError(error.message, where=error.where, hint=hint)


def _left(hosts: Sequence[Host], ended: Mapping[str, HostReport]) -> list[Host]:
    return [host for host in hosts if host.name not in ended or ended[host.name].outcome not in WELL]
