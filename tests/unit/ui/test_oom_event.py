"""The newest OOM event in a diagnosis, a plan and a report; and what its suspects are called."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.plan.diagnosis import CheckState, Finding, Suspect
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.event import Diagnosed
from memrunbook.core.runbook.condition import Evidence
from memrunbook.core.units import MIB
from memrunbook.facts.oom import Oom
from memrunbook.linux.oomlog.account import OomAccount, OomHolder, OomKilled, OomPlace
from memrunbook.ui.block import Block
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.layout import lay_out
from memrunbook.ui.oom_event import event_rows, newest_event
from memrunbook.ui.plan import plan_view
from memrunbook.ui.report import report_view
from memrunbook.ui.suspects import cause_rows

TOLD = OomAccount(
    class_="global",
    meaning="the whole host was short of memory",
    age_seconds=90.0,
    fate="killed",
    killed=(OomKilled(name="db", pid=7, uid=3, anonymous_bytes=10 * MIB, file_bytes=MIB),),
    why="db, pid 7, had the highest score: 88",
    hog=(OomHolder(name="web", count=17, memory_bytes=444 * MIB, largest_bytes=42 * MIB),),
    following=(OomHolder(name="web", pid=9, memory_bytes=42 * MIB),),
    total_bytes=500 * MIB,
    places=(
        OomPlace(name="anonymous", size_bytes=450 * MIB, detail="17 web"),
        OomPlace(name="slab", size_bytes=MIB),
        OomPlace(name="free", size_bytes=MIB),
    ),
    swap_free_bytes=0,
    swap_total_bytes=256 * MIB,
    helps=("limit or restart the web processes", "more swap or RAM"),
    useless=("killing at random",),
)


def drawn(blocks: list[Block]) -> list[str]:
    return ["".join(span.text for span in content).rstrip() for content in lay_out(blocks, 80)]


def finding(state: CheckState = "firing", metric: str = "oom.events") -> Finding:
    return Finding("oom-event", "happened", "The OOM killer was at work", state, "critical", (Evidence(metric, 1, ""),))


WANTED = """
Newest OOM event, 90 s before this was read
  What     the whole host was short of memory
  Killed   db, pid 7, uid 3, anonymous 10.0 MiB, file 1.0 MiB
  Why it   db, pid 7, had the highest score: 88
  Hog      17 web together: 444.0 MiB, 89% of RAM; the largest of them 42.0 MiB
  Next     web, pid 9: 42.0 MiB in memory
  Memory   500.0 MiB RAM, anonymous 450.0 MiB (17 web), free 1.0 MiB, swap free
           0 B of 256.0 MiB
  Helps    limit or restart the web processes; more swap or RAM
  No help  killing at random"""


def test_the_block_of_the_newest_event() -> None:
    assert "\n".join(drawn(newest_event([finding()], (TOLD,)))) == WANTED
    told = json.loads(msgspec.json.encode([TOLD]))
    assert "\n".join(drawn(newest_event([finding()], told))) == WANTED


@pytest.mark.parametrize(
    ("found", "newest"),
    [
        (finding("clear"), (TOLD,)),
        (finding("unknown"), (TOLD,)),
        (finding(metric="memory.available_percent"), (TOLD,)),
        (finding(metric="oom.failures"), (TOLD,)),
        (finding(), ()),
        (finding(), None),
        (finding(), Unavailable("denied", "dmesg")),
    ],
)
def test_no_block_where_no_check_speaks_of_an_event(found: Finding, newest: object) -> None:
    assert newest_event([found], newest) == []


def test_diagnosis_plan_and_report_show_it_in_the_same_words() -> None:
    snapshot = s.snapshot()
    oom = Oom(
        events=[], count_24h=1, repeated_units=[], failures=[], cache_drops=[], overcommit_refusals=0, newest=(TOLD,)
    )
    here = structs.replace(snapshot, readings={**snapshot.readings, "oom": oom})
    entry = s.runbook_diagnosis(findings=(finding(),))
    begun = Diagnosed(entry, s.plan(), {}, {"oom.newest": json.loads(msgspec.json.encode([TOLD]))})
    pages = [
        diagnosis_view(s.diagnosis(entry), here, now=s.NOW),
        plan_view(entry, s.plan(), here, "", s.NOW),
        report_view(s.report(begun=begun), s.RUN),
    ]
    for page in pages:
        assert WANTED in "\n".join(drawn(page))


def test_rows_of_other_fates() -> None:
    def rows(**changes: object) -> str:
        return "\n".join(
            "".join(t.text for t in (*r.cells[0], *r.body)) for r in event_rows(structs.replace(TOLD, **changes))
        )

    assert "Chosendb, pid 7" in rows(fate="chosen")
    assert "Killeddb, pid 7" in rows(fate="reaped")
    assert "and3 more" in rows(more_killed=3)
    assert "Togetherall of its group die with it" in rows(together=True)
    assert "Whosekubernetes:1, a.service: /a" in rows(container="kubernetes:1", unit="a.service", group="/a")
    assert "Whose/a" in rows(group="/a")
    one = OomHolder(name="big", pid=5, memory_bytes=MIB, swap_bytes=MIB, oom_score_adj=-1000)
    said = rows(hog=(one,), hog_protected=True)
    assert "Hogbig, pid 5, was larger than the victim: 1.0 MiB in memory, 1.0 MiB in swap" in said
    assert "oom_score_adj -1000 (never killed); protected by oom_score_adj" in said
    assert "% of" not in rows(total_bytes=MIB)
    assert "89% of its usage" in rows(of_group=True)
    assert "What" in rows(hog=(), following=(), inferred=True)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"active": True, "state": "active", "age_seconds": 4.2}, "up 4.2 s"),
        ({"active": False, "state": "failed", "failed": True, "age_seconds": 9000.0, "kill_age_seconds": 4.2},
         "down, killed 4.2 s ago"),
        ({"active": False, "state": "inactive", "age_seconds": 9000.0}, "down"),
        ({"active": False, "state": "failed", "kill_age_seconds": 1e9}, "down"),
        ({"active": False, "state": "activating", "kill_age_seconds": 4.2}, "activating, killed 4.2 s ago"),
        ({"victim": "hog", "victim_bytes": MIB, "age_seconds": 4.2},
         "held when it was killed 1.0 MiB, killed 4.2 s ago"),
        ({"victim": "hog", "age_seconds": None}, "unit"),
        ({"attached": 0, "size_bytes": MIB, "age_seconds": 7200.0}, "size 1.0 MiB, last used 2 h ago"),
        ({"age_seconds": 7200.0}, "up 2 h"),
        ({}, "unit"),
    ],
)  # fmt: skip
def test_only_what_runs_is_up(facts: dict[str, object], words: str) -> None:
    (row,) = cause_rows([Suspect("unit", "hog.service", 1.0, facts)])
    assert "".join(span.text for span in row.body) == words
