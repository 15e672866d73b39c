"""Lets msgspec learn every type of ours before there is a second thread.

It learns a type when it is first decoded, and what it has learned of it is there before it is complete: a second thread
that decodes the same type meanwhile ends the process (SIGSEGV; msgspec 0.21).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import suppress

import msgspec
from msgspec import Struct

import memrunbook

SKIPPED = ("memrunbook.documents.faults", "memrunbook.documents.standing_in", ".migrations")
"""What loads libraries that only a faulty document needs, and what no module may load."""
HOMES = frozenset({"core", "linux", "facts", "actions", "runtime", "state", "documents", "transports", "app"})


def learn_all() -> int:
    """Loads all that holds types, but for what needs an extra that is not here, and learns them; how many those are.

    For what has many threads for long; it takes about a second.
    """
    for module in pkgutil.walk_packages(memrunbook.__path__, "memrunbook."):
        if module.name.split(".")[1] in HOMES and not any(one in module.name for one in SKIPPED):
            with suppress(ImportError):
                importlib.import_module(module.name)
    return learn()


def learn() -> int:
    """Learns the types of what is loaded by now; how many those are. It takes some hundredths of a second."""
    kinds = list(dict.fromkeys(_below(Struct)))
    for kind in kinds:
        with suppress(TypeError):  # it holds what is never decoded
            msgspec.json.Decoder(kind)
    return len(kinds)


def _below(kind: type[Struct]) -> Iterator[type[Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
