"""Has the types of what is told looked at once, by one thread, before several decode it.

msgspec looks at a type when it is first decoded; where two threads did that at once it ended the process.
"""

from __future__ import annotations

from typing import Any

import msgspec

from memrunbook import catalog
from memrunbook.core.host import Host
from memrunbook.core.run.placed import PartResult, PartSaid, PlacedRun
from memrunbook.core.run.record import Envelope
from memrunbook.core.run.request import Approval

TOLD: tuple[Any, ...] = (Envelope, PlacedRun, PartResult, PartSaid, Host, Approval)


def know_types() -> None:
    """To be called before there are threads."""
    for kind in (*TOLD, *(fact.reading for fact in catalog.facts().values())):
        msgspec.json.Decoder(kind, dec_hook=_never)


def _never(kind: type, value: object) -> object:
    raise msgspec.ValidationError(f"{value!r} is no {kind.__name__}")
