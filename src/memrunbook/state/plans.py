"""Saved plans: what was decided, with the digests that an approval is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from memrunbook.core.errors import UsageError
from memrunbook.core.plan.plan import Plan
from memrunbook.core.units import encode
from memrunbook.runtime.redaction import redacted
from memrunbook.version import __version__


class SavedPlan(Struct, frozen=True):
    """The file: format, the engine that made it, who, and one plan a host.

    `digests` holds, in the order of `plans`, what an approval of each step is for, by the step's label. They are kept
    beside the changes, since what looks like a secret in a change's words is hidden.
    """

    format: str
    engine: str
    creator: str
    plans: tuple[Plan, ...]
    digests: tuple[dict[str, str], ...]


FORMAT = "memrunbook.saved-plan/1"


def save_plans(path: Path, plans: Sequence[Plan], creator: str = "") -> None:
    """Writes plans to a file, readable by its owner alone; UsageError where that cannot be."""
    digests = tuple({step.label: step.digest for step in plan.changes} for plan in plans)
    saved = redacted(
        msgspec.to_builtins(SavedPlan(FORMAT, __version__, creator, tuple(plans), digests), enc_hook=encode)
    )
    content = msgspec.json.format(msgspec.json.encode(saved), indent=2)
    try:
        path.touch(mode=0o600, exist_ok=True)
        path.write_bytes(content + b"\n")
    except OSError as error:
        raise UsageError(f"the plan cannot be written: {error.strerror}", where=str(path)) from None
