"""The page of a score: its verdict, what came without it, and a sentence for each piece of evidence."""

from __future__ import annotations

import pytest

from memrunbook.core.instant import Instant
from memrunbook.core.plan.score import ScoredCase, Trace
from memrunbook.core.plan.shadows import Case, HostSighting, Shadow, UnforeseenKills
from memrunbook.ui.block import Block
from memrunbook.ui.layout import lay_out, plain
from memrunbook.ui.score import ScoreView, between, score_view

NOW = Instant(1_800_000_000.0, 0.0)
AT = NOW.utc - 7200
VIEW = ScoreView("leaks", (), (), 1, 2, AT)


def drawn(blocks: list[Block]) -> str:
    return "\n".join(plain(line) for line in lay_out(blocks, None))


def case(*traces: Trace, fate: str = "recovered", seconds: float = 3600.0, asks: bool = False) -> ScoredCase:
    seen = HostSighting(schedule="leaks", host="web", runbook="r", found="acts", firing="f", since=AT, until=AT)
    steps = [Shadow(firing="f", schedule="leaks", host="web", machine="m", runbook="r", at=AT, step=name, action="a",
                    target="t", summary=f"Do {name}", digest="d", risk=risk, asks=asks, provisional=later)
             for name, risk, later in (("one", 2, False), ("two", 1, True), ("three", None, False))]  # fmt: skip
    made = Case(sightings=(seen,), steps=tuple(steps), end="open")
    return ScoredCase(case=made, fate=fate, seconds=seconds, traces=traces)  # type: ignore[arg-type]


def test_the_verdict_counts_what_became_of_the_cases() -> None:
    found = [case(), case(), case(fate="OOM kill"), case(fate="unknown", seconds=0.0), case(fate="unknown")]
    page = drawn(score_view(VIEW._replace(cases=found), AT, NOW))
    assert page.startswith(
        "leaks would have acted 5 times since 2027-01-15: 2 recovered alone, 1 ended in an OOM kill,"
        " of 2 nothing is known\n"
    )
    assert "last seen at 2027-01-15 06:00:00 UTC (2 h ago), in 1 look\n" in page
    assert "(2 h ago), for 60 min" in page


def test_its_steps_say_what_hangs_on_what_and_what_a_person_would_be_asked() -> None:
    page = drawn(score_view(VIEW._replace(cases=[case()]), AT, NOW))
    assert "would have done: Do one (medium)\n" in page
    assert "then, if needed: Do two (low)\n" in page
    assert "and: Do three" in page
    assert "person" not in page
    asked = drawn(score_view(VIEW._replace(cases=[case(asks=True)]), AT, NOW))
    assert "1 of these would have waited for a person: beyond its max_risk and allow" in asked
    assert "and: Do three (only after a person's yes)" in asked


def test_a_schedule_that_never_looked_that_is_gone_and_that_runs_by_now() -> None:
    page = drawn(score_view(VIEW._replace(watched=None, listed=False), AT, NOW))
    assert page == (
        "leaks: UNKNOWN, no firing of it is kept that looked at a host\n"
        "  it is not in schedules.yaml any more, or broken there"
    )
    assert "what it does: runbook x" in drawn(score_view(VIEW._replace(acts="runbook x"), AT, NOW))


def test_kills_that_came_without_it_are_told_the_latest_of_them_by_their_time() -> None:
    kills = [UnforeseenKills(f"db-{number}", 1, AT + number, AT + 3600 + number) for number in range(7)]
    page = drawn(score_view(VIEW._replace(came_without=kills[:1]), AT, NOW))
    assert "\n  1 OOM kill came without it: db-0 between 2027-01-15 06:00 and 07:00 UTC\n" in page
    page = drawn(score_view(VIEW._replace(came_without=kills), AT, NOW))
    assert "7 OOM kills came without it: db-2 " in page
    assert "and 2 times earlier" in page


@pytest.mark.parametrize(("trace", "words"), [
    ({"what": "kills", "count": 2}, "2 OOM kills between 2027-01-15 06:00 and 06:10 UTC"),
    ({"what": "boot"}, "the host was booted anew between 2027-01-15 06:00 and 06:10 UTC"),
    ({"what": "change", "of": "a:t", "run": "R"}, "run R did a:t at 2027-01-15 06:00 UTC"),
    ({"what": "change", "of": "a:t", "run": "R", "why": "failed"}, "06:00 UTC: it ended as failed"),
    ({"what": "began anew", "of": "u"}, "06:10 UTC, and no run did it: a person, or a crash"),
    ({"what": "began anew", "of": "u", "sure": False}, "or a crash; whether within that time is not known"),
    ({"what": "over", "of": "leaks@x"}, "found over at 2027-01-15 06:10 UTC by leaks@x"),
    ({"what": "run", "run": "R"}, "found over at 2027-01-15 06:10 UTC by run R"),
    ({"what": "unreached", "count": 1, "why": "no route"}, "06:10 UTC (1 look): no route"),
    ({"what": "unjudged", "count": 3}, "could not be judged between 2027-01-15 06:00 and 06:10 UTC (3 looks)"),
    ({"what": "unread", "of": "u"}, "whether u was restarted is not known"),
    ({"what": "unread"}, "OOM kills of that time are not known"),
    ({"what": "clock"}, "the clock went back by 10 min: times are not certain"),
])  # fmt: skip
def test_each_piece_of_evidence_is_a_sentence(trace: dict[str, object], words: str) -> None:
    found = Trace(after=AT, before=AT + 600, **trace)  # type: ignore[arg-type]
    assert words in drawn(score_view(VIEW._replace(cases=[case(found)]), AT, NOW))


def test_two_moments_of_one_day_name_it_once() -> None:
    assert between(AT, AT + 0.5) == "at 2027-01-15 06:00 UTC"
    assert between(AT - 86_400, AT) == "between 2027-01-14 06:00 and 2027-01-15 06:00 UTC"
