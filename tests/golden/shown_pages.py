"""What docs/ shows of pages that need many hosts, or weeks, to come about: tests/contract/test_examples.py compares."""

from __future__ import annotations

from tests.golden import samples as s

from memrunbook.cli.rollout_lines import RolloutLines
from memrunbook.core.plan.score import Fate, ScoredCase
from memrunbook.core.plan.shadows import Case, HostSighting, UnforeseenKills
from memrunbook.ui.block import Block
from memrunbook.ui.gate import gate_view
from memrunbook.ui.score import ScoreView, score_view

HOUR, DAY = 3600.0, 86_400.0
PEER = (
    "web02, its peer: run 20261129T031205Z-kazi by ops@control-1 is at nginx.service there (restart_unit) since "
    "2026-11-29 03:12 UTC"
)
ALONE: Fate = "recovered"
FATES: tuple[Fate, ...] = (*[ALONE] * 7, "restarted by hand", "OOM kill")


def shown_pages() -> list[Block]:
    """A gate that is for several hosts, a wait for a peer, the score of a schedule that only plans."""
    said: list[Block] = []
    RolloutLines(said.append).waits("web01", PEER)
    return [
        *gate_view("web02", s.question(s.STEPS[2]), s.NOW, "host 2 of 20", others=("web03", "web04", "web05")),
        *said,
        *_score(),
    ]


def _score() -> list[Block]:
    now = s.NOW.utc
    seen = HostSighting(schedule="leaks", host="db-1", runbook="memory-leak", found="acts", firing="f",
                        since=now - 3 * DAY, until=now - 3 * DAY + HOUR)  # fmt: skip
    case = Case(sightings=(seen,), steps=(), end="over")
    cases = [ScoredCase(case=case, fate=fate, seconds=HOUR, traces=()) for fate in FATES]
    kills = [
        UnforeseenKills(host, 1, now - number * DAY, now - number * DAY + HOUR)
        for number, host in ((2, "db-1"), (9, "db-3"))
    ]
    return score_view(ScoreView("leaks", cases, kills, 3, 500, now - 30 * DAY), now - 30 * DAY, s.NOW)
