"""Writes a full report of a defect of ours, and tells where it is: a person in trouble gets no traceback."""

from __future__ import annotations

import platform
import tempfile
import traceback

from memrunbook.cli import exit_codes
from memrunbook.cli.streams import on_stderr
from memrunbook.runtime.redaction import redact
from memrunbook.version import __version__


def report_defect(error: BaseException, argv: list[str]) -> int:
    """Saves the traceback, the command line (secrets hidden) and the versions; returns the exit code."""
    lines = [f"memrunbook {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    lines += [f"runbook {' '.join(argv)}", "", "".join(traceback.format_exception(error))]
    on_stderr(
        f"error: a defect in runbook: {type(error).__name__}\n"
        f"  {_saved(redact(chr(10).join(lines)))}\n"
        "  hint: nothing more was done; please report it with that file\n"
    )
    return exit_codes.DEFECT


def _saved(report: str) -> str:
    """Where the report is; on a full disk what can be said without it."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="runbook-defect-", suffix=".txt", delete=False) as file:
            file.write(report)
    except OSError as error:
        return f"no report could be written ({error.strerror}); it ends with: {report.strip().splitlines()[-1]}"
    return f"a full report is in {file.name}"
