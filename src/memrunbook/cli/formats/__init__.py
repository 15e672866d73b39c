"""One file a way to write an answer, found by its name: `--format NAME`; `--json` is short for one of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from memrunbook.cli.reply import Color, Reply
from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from msgspec import Struct

    from memrunbook.documents.printed import Document


class Format(Protocol):
    """What a file of this folder offers."""

    CONVERSES: bool
    """Whether a person reads along: gates may be asked, and progress is drawn."""
    BY_HOST: bool
    """Whether each host is written when it has ended: an answer at the end has then no hosts any more."""

    def show(self, reply: Reply, color: Color) -> None:
        """Writes an answer on stdout."""

    def host(self, line: Callable[[], Document]) -> None:
        """Writes what is said of one host, as soon as it is known; called from several threads."""

    def pack(self, part: Struct) -> bytes:
        """What is kept of one host until all have ended; nothing where the format has written it before."""

    def record(self, record: Mapping[str, Any]) -> None:
        """Writes a record of a journal as it happens."""


def format_of(name: str) -> Format:
    """The format of a name; UsageError where there is none."""
    files = {info.name.removesuffix("_"): info.name for info in pkgutil.iter_modules(__path__)}
    if name not in files:
        raise UsageError(f"there is no format {name!r}", where="--format", hint=f"there are: {', '.join(files)}")
    return cast("Format", importlib.import_module(f"{__name__}.{files[name]}"))
