"""Records hosts: what they answer when they are diagnosed, in a file each that diagnosing and planning can read."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reading import ReadArguments, read, refuse_twins, sampling_of
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.fact import Sample
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.masked_answers import masked
from memrunbook.runtime.masking import Masks
from memrunbook.runtime.ports import Connector
from memrunbook.state.recordings import make_folder, refuse_written, save_recording
from memrunbook.transports.record import RecordConnector
from memrunbook.transports.shared.bundle import SUFFIX, bundle_of, samples_of
from memrunbook.version import __version__

UNKNOWN = ("denied", "failed")
"""What a host has and did not tell; what it does not have is an answer."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, kw_only=True)
class RecordArguments:
    """Hosts, and where their recordings go: `out` is a file for one host, a folder for several or with `folder`.

    `watch` reads for so many seconds. `force` replaces files that are there. `mask` hides the names too.
    """

    hosts: tuple[Host, ...]
    out: Path
    folder: bool = False
    connectors: Connectors = field(default_factory=Connectors)
    watch: float | None = None
    force: bool = False
    mask: bool = False


@dataclass(frozen=True)
class RecordedHost:
    """One host: its file, or why there is none; bytes, samples and answers of the file, and of those without one.

    `called` is the name that the recording has, another one than the host's where names are masked. What was read of
    the host is in the file alone: `reached` has no snapshot.
    """

    reached: Reached
    called: str = ""
    file: Path | None = None
    error: RunbookError | None = None
    size_bytes: int = 0
    samples: int = 0
    answers: int = 0
    unanswered: int = 0


@dataclass(frozen=True)
class RecordResult:
    """The hosts in their order, and whether names are masked: then `names` says which other name each was given."""

    hosts: tuple[RecordedHost, ...]
    masked: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listening(Connectors):
    """Ways to hosts, all of whose answers are written down, by the host's name."""

    heard: Mapping[str, io.StringIO] = field(default_factory=dict)

    def connector(self, host: Host) -> Connector:
        """The connector of a host, listened to."""
        return RecordConnector(super().connector(host), self.heard[host.name])


def record(arguments: RecordArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None) -> RecordResult:
    """Reads every fact of hosts, as diagnosing them does, and writes what they answered; nothing is changed.

    The file of a host is written when that host has ended, and no more of it stays in memory. A host that was not
    reached, or whose file cannot be written, has its error in the result. UsageError for what cannot be asked. After
    Ctrl-C those that had been read are written, and the others carry Interrupted (one host alone raises it).
    """
    from memrunbook import catalog

    refuse_twins(arguments.hosts)
    several = len(arguments.hosts) > 1 or arguments.folder or arguments.out.is_dir()
    if several:
        make_folder(arguments.out)
    recorder = _Recorder(arguments, several=several)
    hosts = read(
        ReadArguments(
            hosts=arguments.hosts,
            facts=catalog.standing_facts,
            sampling=sampling_of(arguments.watch, Sampling(), arguments.hosts),
            connectors=Listening(arguments.connectors.reach, arguments.connectors.forks, heard=recorder.heard),
            policy=ServicePolicy(),
            watching=arguments.watch is not None,
            notice=notice,
            stop=stop or threading.Event(),
        ),
        recorder.written,
    )
    return RecordResult(tuple(hosts), arguments.mask, recorder.names)


class _Recorder:
    """Listens to hosts, and writes what one said when it has ended, in whichever thread that is."""

    def __init__(self, arguments: RecordArguments, *, several: bool) -> None:
        """UsageError where a file cannot be written: no host is asked then."""
        self._masks = masks = Masks() if arguments.mask else None
        self._force = arguments.force
        self._called = {host.name: masks.host(host.name) if masks else host.name for host in arguments.hosts}
        self._files = _files(arguments, self._called, several=several)
        self._said = _said(hidden=arguments.mask)
        self.heard = {host.name: io.StringIO() for host in arguments.hosts}

    @property
    def names(self) -> Mapping[str, str]:
        """The other name of every name; none where they are not masked."""
        return self._masks.given if self._masks else {}

    def written(self, reached: Reached) -> RecordedHost:
        """The host with its file; what was heard of it is let go."""
        name, ended = reached.name, replace(reached, snapshot=None)
        text = self.heard[name].getvalue()
        self.heard[name].seek(0)
        self.heard[name].truncate()  # one that was cut short may still be heard
        if reached.snapshot is None:  # what was heard of it would be taken for the whole of what it says
            return RecordedHost(ended, error=reached.error)
        samples, called = samples_of(text), self._called[name]
        if self._masks is not None:
            samples = [masked(sample, self._masks, called) for sample in samples]
        found = _counted(RecordedHost(ended, called, self._files[name]), samples)
        return _saved(found, bundle_of(samples, self._said), force=self._force)


def _files(arguments: RecordArguments, called: Mapping[str, str], *, several: bool) -> dict[str, Path]:
    """Where each host's recording goes, refused before any host is asked where it cannot be written."""
    if several:
        names = safe_names(list(called.values()))
        files = {host: arguments.out / f"{names[name]}{SUFFIX}" for host, name in called.items()}
    else:
        files = {host.name: arguments.out for host in arguments.hosts}
    for file in files.values():
        refuse_written(file, force=arguments.force)
    return files


def safe_names(names: Sequence[str]) -> dict[str, str]:
    """Names of files for names of hosts: no slash, no blank, no dot in front, and no two alike."""
    found: dict[str, str] = {}
    for name in names:
        safe = _UNSAFE.sub("_", name).lstrip(".")[:200] or "host"
        number, plain = 1, safe
        while safe.casefold() in {one.casefold() for one in found.values()}:
            number += 1
            safe = f"{plain}_{number}"
        found[name] = safe
    return found


def _said(*, hidden: bool) -> tuple[str, str]:
    return (
        f"recorded {SystemClock().now().isoformat()} by memrunbook {__version__}",
        "hides secrets, names" if hidden else "hides secrets",
    )


def _counted(host: RecordedHost, samples: Sequence[Sample]) -> RecordedHost:
    answers = [answer for sample in samples for answer in sample.answers.values()]
    lacking = sum(answer.problem is not None and answer.problem.reason in UNKNOWN for answer in answers)
    return replace(host, samples=len(samples), answers=len(answers), unanswered=lacking)


def _saved(host: RecordedHost, text: str, *, force: bool) -> RecordedHost:
    if host.file is None:
        return host
    try:
        return replace(host, size_bytes=save_recording(host.file, text, force=force))
    except UsageError as error:
        return RecordedHost(host.reached, error=error)
