"""Starts the server where its library is installed, and ends with its client."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.redaction import redact

if TYPE_CHECKING:
    from memrunbook.mcp.served import Served

EXTRA = "pip install 'memrunbook[mcp]'"
LIBRARIES = frozenset({"mcp", "mcp_types", "anyio"})


def check_libraries() -> None:
    """UsageError where the extra is not installed."""
    try:
        import mcp_types  # noqa: F401
        from mcp.server import lowlevel  # noqa: F401
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        raise UsageError("an assistant is served by the library mcp, which is not installed", hint=EXTRA) from None


def serve_client(served: Served) -> None:
    """Serves a client until it closes stdin, or reads stdout no more: neither is an error."""
    import anyio

    from memrunbook.mcp.server import serve

    _log_to_stderr()
    try:
        anyio.run(serve, served)
    except BaseExceptionGroup as errors:
        found = [error for error in _each(errors) if not isinstance(error, ConnectionError)]
        unwritten = next((error for error in found if isinstance(error, OSError)), None)
        if unwritten is not None:
            why = f"the answer cannot be written: {unwritten.strerror}"
            raise UsageError(why, where="stdout", hint="an assistant reads it through a pipe") from None
        if found:
            raise


def _each(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error)
        else:
            yield error


def _log_to_stderr() -> None:
    """One line a message, no traceback, safe to read: the client's words may stand in it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("memrunbook").setLevel(logging.INFO)


class OneLine(logging.Formatter):
    """A log line: what an exception says, and not where in which library it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, cleaned and without secrets."""
        record.exc_text = None
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = record.stack_info = None
        said = super().format(record)
        return clean(redact(f"{said}: {error}" if error else said), 500)
