"""The page of all topics of memory management: what serves each, what proves it. Every name in it must exist."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from memrunbook import catalog
from memrunbook.cli.main import group
from memrunbook.documents.library import Library

ROOT = Path(__file__).parents[1]
SOURCE = Path(__file__).with_suffix(".yaml")
SCENARIOS = ROOT / "tests" / "kernel" / "scenarios"


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """A row: `checks` are runbook/check, `proven` scenarios of the kernel lab or tests by their path."""

    topic: str
    does: str
    proven: list[str]
    commands: list[str] = []
    metrics: list[str] = []
    checks: list[str] = []
    actions: list[str] = []


def coverage_page(note: str) -> str:
    """The page; ValueError for a name that nothing has."""
    topics = msgspec.yaml.decode(SOURCE.read_bytes(), type=list[Topic])
    wrong = [f"{topic.topic}: {name}" for topic in topics for name in _unknown(topic)]
    if wrong:
        raise ValueError(f"{SOURCE.name} names what there is not: {'; '.join(wrong)}")
    head = ["# Coverage", "", "What can be done about each topic of Linux memory management, and what proves it:",
            "a scenario of the [kernel lab](confusion-matrix.md), or tests.", ""]  # fmt: skip
    rows = [f"| {number} | {' | '.join(_cells(topic))} |" for number, topic in enumerate(topics, 1)]
    return "\n".join(
        [note, *head, "| # | topic | what can be done | by | proven by |", "|---:|---|---|---|---|", *rows, ""]
    )


def _cells(topic: Topic) -> tuple[str, ...]:
    used = {
        "": [f"`runbook {name}`" for name in topic.commands],
        "metrics": [f"`{name}`" for name in topic.metrics],
        "checks": [f"`{name}`" for name in topic.checks],
        "actions": [f"`{name}`" for name in topic.actions],
    }
    by = "<br>".join(f"{kind} {', '.join(names)}".strip() for kind, names in used.items() if names)
    return topic.topic, topic.does, by, ", ".join(topic.proven)


def _unknown(topic: Topic) -> Iterator[str]:
    checks = {f"{book.spec.name}/{check.id}" for book in Library().runbooks()[0] for check in book.spec.checks}
    context = group.make_context("runbook", ["--version"], resilient_parsing=True)
    known: dict[str, tuple[Sequence[str], Container[str]]] = {
        "commands": (topic.commands, group.list_commands(context)),
        "metrics": (topic.metrics, catalog.metrics()),
        "checks": (topic.checks, checks),
        "actions": (topic.actions, catalog.actions()),
    }
    for names, there in known.values():
        yield from (name for name in names if name not in there)
    yield from (name for name in topic.proven if not (SCENARIOS / f"{name}.py").exists() and not (ROOT / name).exists())
