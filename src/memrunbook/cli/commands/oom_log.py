"""runbook oom-log: explains a saved kernel log without a host: who was killed, why, and what may help."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OUTPUT, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.linux.oomlog.event import KernelLog

PIECE = 1 << 18
GZIP = b"\x1f\x8b"
HINT = "save one with: dmesg > FILE, or journalctl -k -o short-monotonic > FILE"


@click.command("oom-log")
@click.argument("file", metavar="FILE")
@click.option(
    "--events", default=10, type=click.IntRange(0, 10_000), show_default=True, help="The newest so many, in full."
)
@common(OUTPUT)
def command(settings: Settings, file: str, events: int, **_: Any) -> int:
    """Explain a saved kernel log (dmesg, journal, syslog, pstore; also .gz); - reads it from stdin."""
    log = _read(file)
    if settings.json:
        return tell(exit_codes.OK, lambda: _emit(log))
    return tell(exit_codes.OK, lambda: _draw(settings, log, file, events))


def _draw(settings: Settings, log: KernelLog, file: str, events: int) -> None:
    from memrunbook.ui.oom_log import oom_log_view
    from memrunbook.ui.screen import Screen

    Screen(settings.color).show(oom_log_view(log, "stdin" if file == "-" else file, events))


def _emit(log: KernelLog) -> None:
    """Writes the document; thousands of events are looked through for secrets at once, and one by one where any is."""
    import msgspec

    from memrunbook.linux.oomlog.document import document
    from memrunbook.runtime.redaction import NAMES

    told = document(log)
    content = msgspec.json.encode(told)
    if re.search(rf"(?i){NAMES}".encode(), content):
        emit("oom-log", msgspec.structs.asdict(told))
    else:
        sys.stdout.write(msgspec.json.format(content, indent=2).decode() + "\n")


def _read(file: str) -> KernelLog:
    from memrunbook.linux.oomlog.reader import LogReader
    from memrunbook.linux.oomlog.source import plain

    reader = LogReader()
    try:
        for piece in plain(_pieces(file)):
            reader.feed(piece)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the log cannot be read: {why}", where=file, hint=HINT) from None
    return reader.result()


def _pieces(file: str) -> Iterator[bytes]:
    if file == "-":
        with open(0, "rb", closefd=False) as stream:
            yield from _unpacked(stream)
        return
    with Path(file).open("rb") as stream:
        yield from _unpacked(stream)


def _unpacked(stream: BufferedReader) -> Iterator[bytes]:
    """What the stream holds, unpacked where it begins as a gzip file does."""
    packed = stream.peek(len(GZIP)).startswith(GZIP)
    source = gzip.GzipFile(fileobj=stream) if packed else stream
    while piece := source.read(PIECE):
        yield piece
