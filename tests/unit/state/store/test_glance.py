"""A glance at the switch: certain or not at all, and without the library of databases."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from memrunbook.state.store.changes import Store
from memrunbook.state.store.glance import surely_on
from memrunbook.state.store.switch import Switch, turn


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with closing(Store.open(tmp_path)):
        return tmp_path / "store.sqlite"


def turned(file: Path, *turns: bool) -> None:
    with closing(Store.open(file.parent)) as store:
        for number, off in enumerate(turns):
            turn(store, Switch(off, float(number), None, "ada"))


def test_nobody_has_turned_it(file: Path) -> None:
    assert surely_on(file)


def test_the_newest_turn_counts(file: Path) -> None:
    turned(file, True, False)
    assert surely_on(file)
    turned(file, True)
    assert not surely_on(file)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be taken for one" * 99])
def test_what_is_no_store_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert not surely_on(tmp_path / "other")
    assert not surely_on(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_a_look_at_the_switch_loads_no_library_of_databases(file: Path) -> None:
    look = (
        "import sys; from pathlib import Path; from memrunbook.app.braking import switched_off; "
        "from memrunbook.app.stored import Stored; "
        "assert switched_off(Stored(Path(sys.argv[1]))) == ''; print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look, str(file.parent)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
