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
    """Hosts, and where their recordings go: `out` is a file for one host, a folder for several.

    `watch` reads for so many seconds. `force` replaces files that are there. `mask` hides the names too.
    """

    hosts: tuple[Host, ...]
    out: Path
    connectors: Connectors = field(default_factory=Connectors)
    watch: float | None = None
    force: bool = False
    mask: bool = False


@dataclass(frozen=True)
class RecordedHost:
    """One host: its file, or why there is none; bytes, samples and answers of the file, and of those without one.

    `called` is the name that the recording has, another one than the host's where names are masked.
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

    A host that was not reached, or whose file cannot be written, has its error in the result. UsageError for what
    cannot be asked. After Ctrl-C those that had been read are written, and the others carry Interrupted (one host alone
    raises it).
    """
    from memrunbook import catalog

    refuse_twins(arguments.hosts)
    folder = arguments.out if len(arguments.hosts) > 1 or arguments.out.is_dir() else None
    masks = Masks() if arguments.mask else None
    called = {host.name: masks.host(host.name) if masks else host.name for host in arguments.hosts}
    if folder is not None:
        make_folder(folder)
    files = _files(arguments, called, folder)
    heard = {host.name: io.StringIO() for host in arguments.hosts}
    reached = read(
        ReadArguments(
            hosts=arguments.hosts,
            facts=lambda: set(catalog.facts()),
            sampling=sampling_of(arguments.watch, Sampling(), arguments.hosts),
            connectors=Listening(arguments.connectors.reach, arguments.connectors.forks, heard=heard),
            policy=ServicePolicy(),
            watching=arguments.watch is not None,
            notice=notice,
            stop=stop or threading.Event(),
        ),
        lambda reached: reached,
    )
    said, hosts = _said(hidden=arguments.mask), []
    for one in reached:
        if one.snapshot is None:  # what was heard of it would be taken for the whole of what it says
            hosts.append(RecordedHost(one, error=one.error))
            continue
        samples = samples_of(heard[one.name].getvalue())
        if masks is not None:
            samples = [masked(sample, masks, called[one.name]) for sample in samples]
        found = _counted(RecordedHost(one, called[one.name], files[one.name]), samples)
        hosts.append(_saved(found, bundle_of(samples, said), force=arguments.force))
    return RecordResult(tuple(hosts), arguments.mask, masks.given if masks else {})


def _files(arguments: RecordArguments, called: Mapping[str, str], folder: Path | None) -> dict[str, Path]:
    """Where each host's recording goes, refused before any host is asked where it cannot be written."""
    if folder is None:
        files = {host.name: arguments.out for host in arguments.hosts}
    else:
        names = safe_names(list(called.values()))
        files = {host: folder / f"{names[name]}{SUFFIX}" for host, name in called.items()}
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
