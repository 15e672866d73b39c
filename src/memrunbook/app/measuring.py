"""The metrics of hosts."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from memrunbook import catalog
from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reading import ReadArguments, read
from memrunbook.app.remembering import StoredRecall
from memrunbook.app.stored import Stored
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.documents.library import Library, usual_library
from memrunbook.state.paths import usual_state_dir

R = TypeVar("R")
PAIR = Sampling(2, Duration(1))


@dataclass(frozen=True, kw_only=True)
class FactsArguments:
    """The facts by name; `sampling` says how often they are read (one sample has no rates).

    Who leaks is told from the history in `state`, or beside a `store` other than usual; nothing is added to it.
    """

    hosts: tuple[Host, ...]
    facts: frozenset[str]
    sampling: Sampling = PAIR
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""


def facts(arguments: FactsArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None) -> list[Reached]:
    """Reads facts of hosts, each with its snapshot or its error, in their order.

    After Ctrl-C those that had not been read carry Interrupted.
    """
    return facts_each(arguments, lambda reached: reached, notice, stop=stop)


def facts_each(
    arguments: FactsArguments,
    keep: Callable[[Reached], R],
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> list[R]:
    """As `facts`, and of each host only that is kept which `keep` makes of it: a snapshot is large.

    It is called as soon as that host has been read, from several threads.
    """
    with closing(StoredRecall(lambda: Stored(arguments.state, arguments.library.config(), arguments.store))) as past:
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
                past=past,
            ),
            keep,
        )


def chosen_metrics(patterns: Iterable[str]) -> dict[str, Metric]:
    """The metrics that these words mean: of a fact, by pattern, by vmstat's words; all where there is none.

    UsageError for one that means none.
    """
    known = catalog.metrics()
    chosen: dict[str, Metric] = {}
    for pattern in patterns:
        wide = pattern if any(sign in pattern for sign in "*?[.") else f"{pattern}.*"
        found = {
            name: metric for name, metric in known.items() if metric.alias == pattern or fnmatch.fnmatchcase(name, wide)
        }
        if not found:
            facts = {name.partition(".")[0] for name in known}
            close = get_close_matches(pattern, [*sorted(facts), *known], n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else "runbook facts --host local lists every metric"
            raise UsageError(f"no metric is called {pattern!r}", hint=hint)
        chosen |= found
    return chosen or dict(known)
