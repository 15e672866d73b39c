"""What an earlier version wrote can still be shown."""

from __future__ import annotations

from pathlib import Path

from tests.cli.console import here

OLD = Path(__file__).with_name("old-journal")


def test_a_report_of_a_run_that_an_earlier_version_made(tmp_path: Path) -> None:
    state = tmp_path / "old"
    state.mkdir()
    for file in OLD.rglob("*"):
        target = state / file.relative_to(OLD)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file():
            target.write_bytes(file.read_bytes())
    told = here("report", "last", "--state-dir", str(state))
    assert told.code == 0, told.said
    assert "RESOLVED" in told.out
    assert here("runs", "--state-dir", str(state)).code == 0
