"""How often, by whom, and how long it helped."""

from __future__ import annotations

from memrunbook.core.instant import Instant
from memrunbook.core.plan.limits import PastChange
from memrunbook.core.plan.restarts import Helped
from memrunbook.ui.layout import lay_out, plain
from memrunbook.ui.restarts import restarts_view

NOW = Instant(1_700_000_000.0, 0.0)


def drawn(*found: Helped) -> str:
    return "\n".join(plain(line) for line in lay_out(restarts_view("api", found, NOW), None))


def change(state: str) -> PastChange:
    return PastChange(
        run="R1",
        host="db",
        action="restart_unit",
        target="api.service",
        risk=2,
        begun=NOW.utc - 9000,
        state=state,
        actor="ada",
    )


def test_what_helped_and_what_did_not() -> None:
    page = drawn(Helped(change("done"), 7200.0, "memory was back"), Helped(change("failed"), 0.0, "did not end well"))
    assert page.startswith("api was changed 2 times by runs, on 1 host; each helped about 2 h")
    assert "helped 2 h until its memory was where it had been before; run R1" in page
    assert "it did not end well; run R1" in page


def test_nothing_was_changed_yet() -> None:
    assert drawn() == "No run has changed api yet, as far as the store remembers."
