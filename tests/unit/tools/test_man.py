"""The man pages: each command has one, with all that its help says, and what formats pages finds nothing in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tools import man

from memrunbook.cli import exit_codes

LINTS = [("mandoc", "-Tlint", "-Wwarning"), ("groff", "-ww", "-man", "-Tutf8", "-z")]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    (folder / "man1").mkdir()
    (folder / "man1" / "runbook-gone.1").write_text("a command that is no more")
    assert man.main(folder) == 0
    return folder / "man1"


def plain(page: Path) -> str:
    """What a page says, without what is for roff."""
    words = page.read_text(encoding="ascii")
    for sign, escape in man.ESCAPES.items():
        words = words.replace(escape, sign) if sign != "\\" else words
    return " ".join(words.replace("\\&", "").split())


def test_each_command_has_a_page_and_nothing_else_has(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == set(man.pages())
    assert {"runbook.1", "runbook-oom-log.1", "runbook-schedule-run.1"} <= set(man.pages())


def test_a_page_has_options_exit_codes_environment_files_and_neighbours(written: Path) -> None:
    said = plain(written / "runbook-run.1")
    for words in ("--dry-run The same as: runbook plan.", "-h, --help", ".SH ENVIRONMENT", "RUNBOOK_STATE_DIR"):
        assert words in said
    assert all(f".B {code} {text}" in said for code, text in exit_codes.TABLE.items())
    assert ".SH FILES" in said
    assert ".BR runbook-schedule (1)" in plain(written / "runbook-schedule-run.1")
    assert ".B schedule" not in said
    assert ".B runbook schedule preview Show when schedules fire next" in plain(written / "runbook-schedule.1")


def test_what_stands_in_a_help_is_nothing_for_roff() -> None:
    assert man._text("a\\b 'c' -x é") == "a\\eb \\(aqc\\(aq \\-x \\[u00E9]"
    assert list(man._lines(".TH of 'it'")) == ["\\&.TH of \\(aqit\\(aq"]


@pytest.mark.parametrize("words", LINTS, ids=lambda words: str(words[0]))
def test_what_formats_pages_finds_nothing_to_say(written: Path, words: tuple[str, ...]) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed: apt-get install {words[0]}")
    for page in written.iterdir():
        ran = subprocess.run([*words, page], capture_output=True, text=True, check=False)
        assert ran.stdout + ran.stderr == ""
