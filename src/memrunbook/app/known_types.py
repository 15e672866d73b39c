"""Has msgspec look at every type before several threads read values of them.

It looks at a type when the first value of it is read. Of two threads that do so at once one finds it half looked at:
that hangs or ends the process (seen with msgspec 0.22).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec
from msgspec import Struct

from memrunbook import catalog
from memrunbook.core.run.record import Envelope


def know_types() -> None:
    """Looks at all structs that are loaded by now, those of facts and actions among them."""
    catalog.facts()
    catalog.actions()
    for kind in (Envelope, *_below(Struct)):
        with suppress(TypeError, NameError):  # of a type that msgspec cannot read no value is read
            msgspec.json.Decoder(kind)


def _below(kind: type[Struct]) -> Iterator[type[Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
