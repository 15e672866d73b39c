from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.set_thp import SetThp
from memrunbook.actions.shared.sysfs import SCRIPT, UNDO
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import Duration

FOLDER = "/sys/kernel/mm/transparent_hugepage"
BOTH = SetThp(enabled="never", defrag="never")
USE = Use(SetThp(enabled="madvise", defrag="defer", for_=Duration(60)))


def test_both_settings_are_set_and_the_undo_knows_the_old_ones() -> None:
    made = change(BOTH, host())
    assert made.summary == "Transparent huge pages: enabled always -> never, defrag madvise -> never"
    assert made.command == f"echo never > {FOLDER}/enabled; echo never > {FOLDER}/defrag"
    assert made.args == (f"{FOLDER}/enabled", "never", f"{FOLDER}/defrag", "never")
    assert made.undo is not None
    assert made.undo.args == (f"{FOLDER}/enabled", "never", "always", f"{FOLDER}/defrag", "never", "madvise")
    assert made.risk is Risk.LOW


def test_one_alone_may_be_set_for_a_while() -> None:
    made = change(SetThp(enabled="madvise", for_=Duration(600)), host())
    assert made.summary == "Transparent huge pages: enabled always -> madvise, back after 10 min"
    assert made.verify is not None
    assert made.verify.that == "thp.enabled == 'madvise'"


def test_what_is_set_stays() -> None:
    assert not_needed(SetThp(enabled="always", defrag="madvise"), host()) == (
        "thp.enabled is always and thp.defrag is madvise"
    )


def test_nothing_said_is_refused() -> None:
    assert "not said what to set" in blocked(SetThp(), host())


def test_unknown_settings_are_not_changed() -> None:
    assert "thp.enabled is unknown" in blocked(BOTH, host({"thp": DENIED}))
    assert "no such file" in blocked(BOTH, host({"thp": Unavailable("absent", "no such file")}))
    assert "container" in blocked(BOTH, host({"host.container": True}))


@pytest.fixture
def files(machine: Machine) -> tuple[Path, Path]:
    one, other = machine.folder / "enabled", machine.folder / "defrag"
    one.write_text("[always] madvise never\n")
    other.write_text("1000\n")
    return one, other


def test_the_script_writes_and_looks(machine: Machine, files: tuple[Path, Path]) -> None:
    one, other = map(str, files)
    assert machine.do(SCRIPT, one, "never", other, "500").status == 0
    assert [file.read_text() for file in files] == ["never\n", "500\n"]


def test_a_write_that_fails_or_does_not_stay_is_said(machine: Machine, files: tuple[Path, Path]) -> None:
    one, _ = map(str, files)
    failed = machine.do(SCRIPT, f"{one}/none", "never")
    assert failed.status == 1
    assert failed.text
    refused = machine.do(SCRIPT, "/dev/null", "never", one, "never")
    assert refused.status == 1
    assert "/dev/null is  after never was written" in refused.text
    assert files[0].read_text().startswith("[always]"), "nothing after it is written"


def test_the_undo_brings_the_old_values_back(machine: Machine, files: tuple[Path, Path]) -> None:
    one, other = map(str, files)
    assert machine.undo(UNDO, one, "always", "madvise", other, "1000", "0").status == 0
    assert [file.read_text() for file in files] == ["madvise\n", "0\n"]
    assert machine.undo(UNDO, one, "always", "madvise", other, "1000", "0").status == 0, "again is no harm"


def test_the_undo_leaves_alone_what_somebody_else_has_changed(machine: Machine, files: tuple[Path, Path]) -> None:
    one, other = map(str, files)
    result = machine.undo(UNDO, one, "always", "madvise", other, "7", "0")
    assert result.status == 4
    assert f"{other} is 1000, not 7 as we left it: somebody else has changed it" in result.text
    assert files[0].read_text().startswith("[always]"), "not even the one before it"
