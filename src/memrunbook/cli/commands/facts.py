"""runbook facts: every metric of a host, with value, unit and meaning."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import HOSTS, LIBRARY, OUTPUT, REPLAY, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import Reached, Wiring
from memrunbook.core.errors import UsageError
from memrunbook.core.reading.metric import Metric


@click.command()
@click.argument("metrics", nargs=-1, metavar="[METRIC]...")
@click.option("--samples", default=2, type=click.IntRange(1, 60), show_default=True, help="Readings; one has no rates.")
@click.option("--every", default=1.0, type=click.FloatRange(0.1, 600), show_default=True, help="Seconds between them.")
@common(HOSTS, REPLAY, LIBRARY, OUTPUT)
def command(settings: Settings, metrics: tuple[str, ...], samples: int, every: float, **_: Any) -> int:
    """Show the metrics of a host: all, those of a fact (memory), or by pattern (swap.*)."""
    from memrunbook import catalog

    chosen = _chosen(metrics, catalog.metrics())
    wiring = Wiring(settings)
    wanted = {name.partition(".")[0] for name in chosen}
    reached = wiring.read(lambda: wanted, samples, every)
    code = exit_codes.worst(exit_codes.of_error(one.error) if one.error else exit_codes.OK for one in reached)
    if settings.json:
        return tell(code, lambda: emit("facts", {"hosts": [_machine(one, chosen) for one in reached]}))
    return tell(code, lambda: _draw(settings, reached, chosen))


def _machine(one: Reached, chosen: Mapping[str, Metric]) -> dict[str, Any]:
    from memrunbook.documents.machine import metric_of

    return {
        "host": one.host,
        "outcome": "ok" if one.snapshot else "unreachable",
        "error": str(one.error or ""),
        "metrics": [metric_of(metric, one.snapshot) for metric in chosen.values()] if one.snapshot else [],
    }


def _draw(settings: Settings, reached: list[Reached], chosen: Mapping[str, Metric]) -> None:
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.facts import facts_view
    from memrunbook.ui.screen import Screen

    screen = Screen(settings.color)
    for one in reached:
        screen.show(facts_view(one.snapshot, chosen) if one.snapshot else error_view(one.error, one.host))


def _chosen(patterns: tuple[str, ...], known: Mapping[str, Metric]) -> dict[str, Metric]:
    if not patterns:
        return dict(known)
    chosen: dict[str, Metric] = {}
    for pattern in patterns:
        wide = pattern if any(sign in pattern for sign in "*?[.") else f"{pattern}.*"
        found = {name: metric for name, metric in known.items() if fnmatch.fnmatchcase(name, wide)}
        if not found:
            facts = {name.partition(".")[0] for name in known}
            close = get_close_matches(pattern, [*sorted(facts), *known], n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else "runbook facts --host local lists every metric"
            raise UsageError(f"no metric is called {pattern!r}", hint=hint)
        chosen |= found
    return chosen
