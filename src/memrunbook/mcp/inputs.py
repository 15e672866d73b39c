"""What each tool may be asked for: types, bounds and what they mean, from which the schemas are made."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from memrunbook.mcp.naming import MOST_HOSTS

LONGEST_LOG = 16 << 20
"""Characters of a log that is handed over."""
LONGEST_READING = 600.0
"""Seconds that the samples of one call may take."""
Word = Annotated[str, Meta(min_length=1, max_length=100)]
WordList = Annotated[list[Word], Meta(max_length=50)]
HostWords = Annotated[
    list[Word],
    Meta(
        min_length=1,
        max_length=50,
        description="Names, groups and shell patterns of the hosts that this server was started with "
        f"(web1, web*, prod, web:&prod:!web7, all); at most {MOST_HOSTS} hosts a call. No logins, ports or files.",
    ),
]
RunbookName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="The name of a runbook of the library, as diagnose names it; no path, no YAML.",
    ),
]
ParameterWords = Annotated[
    dict[Word, Annotated[str, Meta(max_length=500)]],
    Meta(max_length=30, description="Parameters of the runbook by name, each value as text, as in {'order': '9'}."),
]
WatchSeconds = Annotated[
    float,
    Meta(
        ge=10,
        le=LONGEST_READING,
        description="Read every 10 s for so many seconds before judging: what grows, what only warms up.",
    ),
]


class FactsAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which metrics of which hosts."""

    hosts: HostWords
    metrics: Annotated[
        WordList,
        Meta(description="A fact (memory), a metric, a pattern (swap.*), or vmstat's word (si); without: all, a lot."),
    ] = []
    samples: Annotated[int, Meta(ge=1, le=60, description="Readings; one has no rates.")] = 2
    every: Annotated[float, Meta(ge=0.1, le=60, description="Seconds between the readings.")] = 1.0


class DiagnoseAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which hosts are judged."""

    hosts: HostWords
    quick: Annotated[bool, Meta(description="Judge by the first reading alone: what needs a rate is unknown.")] = False
    watch_seconds: WatchSeconds | None = None


class PlanAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would be done, by which runbook, on which hosts."""

    runbook: RunbookName
    hosts: HostWords
    parameters: ParameterWords = {}
    watch_seconds: WatchSeconds | None = None


class OomLogAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kernel log as text."""

    text: Annotated[
        str, Meta(min_length=1, max_length=LONGEST_LOG, description="The log itself, as it stands; never a path.")
    ]
    events: Annotated[int, Meta(ge=0, le=1000, description="The newest so many are told in full in the text.")] = 10


class HistoryAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which figures of which hosts, since when."""

    hosts: Annotated[
        list[Word],
        Meta(max_length=50, description="As for the other tools; none: every host that this server was started with."),
    ] = []
    metrics: Annotated[
        WordList, Meta(description="Draws these over time: memory.used_bytes, swap, 'units.*'; with at most 20 hosts.")
    ] = []
    unit: Annotated[str, Meta(max_length=300, description="Only this service, container, process or slab cache.")] = ""
    since: Annotated[
        str, Meta(min_length=1, max_length=40, description="From when on: 7d, 2026-11-22, 2026-11-22T09:41.")
    ] = "14d"


class ReportAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which run."""

    run: Annotated[str, Meta(min_length=1, max_length=60, description="A run's id, its beginning, or: last")] = "last"
