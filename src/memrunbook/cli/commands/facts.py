"""runbook facts: every metric of a host, with value, unit and meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.options import HOSTS_OR_REPLAY, LIBRARY, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.reading.metric import Metric
    from memrunbook.core.reading.reached import Reached
    from memrunbook.documents.printed.facts import FactsDocument, FactsHost
    from memrunbook.ui.block import Block

    Metrics = Mapping[str, Metric]


@click.command()
@click.argument("metrics", nargs=-1, metavar="[METRIC]...")
@click.option("--samples", default=2, type=click.IntRange(1, 60), show_default=True, help="Readings; one has no rates.")
@click.option("--every", default=1.0, type=click.FloatRange(0.1, 600), show_default=True, help="Seconds between them.")
@common(HOSTS_OR_REPLAY, LIBRARY, STATE, STORE, OUTPUT)
def command(
    metrics: tuple[str, ...],
    samples: int,
    every: float,
    targets: Targets,
    library: Library,
    state: Path,
    store: str,
    output: OutputOptions,
) -> int:
    """Show the metrics of a host: all, those of a fact (memory), by pattern (swap.*) or as vmstat calls them (si)."""
    from memrunbook.app import FactsArguments, facts_each
    from memrunbook.app.measuring import chosen_metrics
    from memrunbook.core.runbook.spec import Sampling
    from memrunbook.core.units import Duration

    chosen = chosen_metrics(metrics)
    talk = Conversation(output, targets)
    arguments = FactsArguments(
        hosts=talk.hosts,
        facts=frozenset(name.partition(".")[0] for name in chosen),
        sampling=Sampling(samples, Duration(every)),
        connectors=talk.connectors(),
        library=library,
        state=state,
        store=store,
    )
    told = facts_each(arguments, partial(_kept, talk, chosen), talk.meanwhile, stop=talk.stop)
    code, outcomes = exit_codes.worst(one.code for one in told), [one.outcome for one in told]
    return show(output, Reply(code, lambda: _document(told), partial(_pages, told, chosen), outcomes))


@dataclass(frozen=True)
class ShownFacts:
    """What is kept of a host: its exit code and how it ended, and what is still to be shown of it."""

    code: int
    outcome: str = ""
    reached: Reached | None = None
    printed: FactsHost | None = None


def _kept(talk: Conversation, chosen: Metrics, reached: Reached) -> ShownFacts:
    code = exit_codes.of_error(reached.error) if reached.error else exit_codes.OK
    written = talk.output.format
    if written.CONVERSES:
        return ShownFacts(code, reached=reached)
    from memrunbook.documents.printed.facts import host_with_facts
    from memrunbook.documents.printed.facts_host import facts_host

    printed = host_with_facts(reached, chosen)
    talk.tell(lambda: facts_host(printed))
    return ShownFacts(code, printed.outcome, printed=None if written.BY_HOST else printed)


def _document(told: Sequence[ShownFacts]) -> FactsDocument:
    from memrunbook.documents.printed.facts import FactsDocument

    return FactsDocument(hosts=tuple(one.printed for one in told if one.printed))


def _pages(told: Sequence[ShownFacts], chosen: Metrics) -> Iterator[list[Block]]:
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.facts import facts_view

    for one in (one.reached for one in told if one.reached is not None):
        yield facts_view(one.snapshot, chosen) if one.snapshot else error_view(one.error, one.name)
