"""Recordings as files: what one says of itself, its samples, and which files of a folder are some."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.core.reading.fact import Sample
from memrunbook.core.reading.probe import BUNDLE, CASE, read_sample, write_sample
from memrunbook.runtime.named_file import read_named_text

SUFFIX = ".txt"
ENDINGS = re.compile(r"\.(?:txt|replay|bundle)\Z")
"""What is no part of a host's name in the name of its file; all else is: names have dots."""
LARGEST = 64 << 20
"""Bytes: an hour's watch of a large host takes a tenth of it."""
MOST_SAMPLES, MOST_ANSWERS = 20_000, 500_000
"""A watch of two days has as many samples; a file of the largest size has half of the answers."""
MADE = "runbook record --host HOST -o FILE makes one"
_SIGN = f"@@{CASE} "
_BEGIN = f"{_SIGN}begin "
_VERSION = re.compile(rf"{_SIGN}bundle (\d{{1,9}})\n", re.ASCII)
_LAST = re.compile(rf"{_SIGN}(?:end [^\n]*|cut)\n*\Z")


def head(said: Iterable[str] = ()) -> str:
    """The first lines of a bundle: its version, and what else is `said` of it, which no version relies on."""
    return "".join(f"{_SIGN}{words}\n" for words in (f"bundle {BUNDLE}", *said))


def samples_of(text: str) -> list[Sample]:
    """The samples in the text of a bundle."""
    return [read_sample(_BEGIN + part, CASE) for part in text.split(_BEGIN)[1:]]


def bundle_of(samples: Iterable[Sample], said: Iterable[str]) -> str:
    """The text of a bundle with these samples; `said` as in its head."""
    return "".join([head(said), *(write_sample(one, CASE) for one in samples)])


def bundles(path: Path) -> list[Path]:
    """A file as it is named; of a folder the files that begin as a recording does, in their names' order.

    UsageError for a folder that holds none, or cannot be listed.
    """
    if not path.is_dir():
        return [path]
    try:
        found = [one for one in sorted(path.iterdir()) if not one.name.startswith(".") and _begins(one)]
    except OSError as error:
        raise UsageError(f"the folder cannot be listed: {error.strerror}", where=str(path)) from None
    if not found:
        raise UsageError("no recording is in this folder", where=str(path), hint=MADE)
    return found


def _begins(path: Path) -> bool:
    """False for what cannot be read, too: a folder may hold anything. A pipe is never opened."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_SIGN)) == _SIGN.encode()
    except OSError:
        return False


def read_bundle(path: Path) -> list[Sample]:
    """The samples of a recording, whatever its bytes.

    UsageError where it cannot be read, is none, is newer than we are, was cut short, or is larger than any.
    """
    text = _content(path)
    version = _VERSION.match(text)
    if version and int(version[1]) > BUNDLE:
        why = f"is a bundle of version {version[1]}; this memrunbook reads versions up to {BUNDLE}"
        raise UsageError(why, where=str(path), hint="read it with the memrunbook that recorded it, or a newer one")
    if text.count(_BEGIN) > MOST_SAMPLES or text.count(_SIGN) > MOST_ANSWERS:
        why = f"holds more than {MOST_SAMPLES:,} samples or {MOST_ANSWERS:,} answers, which no recording does"
        raise UsageError(why, where=str(path), hint=MADE)
    samples = samples_of(text)
    if not samples:
        raise UsageError("holds no recorded sample", where=str(path), hint=MADE)
    if not _LAST.search(text, text.rindex(_SIGN)):
        why = "ends in the middle of a sample: the file is not whole"
        raise UsageError(why, where=str(path), hint="copy it again, or record the host again")
    return samples


def _content(path: Path) -> str:
    try:
        return read_named_text(path, LARGEST, "backslashreplace")
    except OSError as error:
        why = error.strerror or str(error)
        why = why[:1].lower() + why[1:]
        raise UsageError(f"cannot be read: {why}", where=str(path), hint="check the path") from None
