"""The metrics of hosts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice, unheard
from memrunbook.app.reading import ReadArguments, read
from memrunbook.core.host import Host
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.documents.library import Library, usual_library

PAIR = Sampling(2, Duration(1))


@dataclass(frozen=True, kw_only=True)
class FactsArguments:
    """The facts by name; `sampling` says how often they are read (one sample has no rates)."""

    hosts: tuple[Host, ...]
    facts: frozenset[str]
    sampling: Sampling = PAIR
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)


def facts(
    arguments: FactsArguments,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    told: Callable[[Reached], object] = unheard,
) -> list[Reached]:
    """Reads facts of hosts, each with its snapshot or its error, in their order.

    Each host is `told` when it has been read, from several threads. After Ctrl-C those that had not carry Interrupted.
    """

    def said(reached: Reached) -> Reached:
        told(reached)
        return reached

    return read(
        ReadArguments(
            hosts=arguments.hosts,
            facts=lambda: arguments.facts,
            sampling=arguments.sampling,
            connectors=arguments.connectors,
            policy=arguments.library.policy(),
            first_look=False,
            notice=notice,
            stop=stop or threading.Event(),
        ),
        said,
    )
