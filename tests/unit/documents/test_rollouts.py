"""How many hosts at once, as config.yaml says it for whoever does not: each mistake at its own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError
from memrunbook.core.run.batches import HINT
from memrunbook.documents.config import load_config


def written(folder: Path, *lines: str) -> Path:
    path = folder / "config.yaml"
    path.write_text("defaults:\n" + "".join(f"  {line}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("lines", "serial", "most"),
    [
        (["serial: 5"], ("5",), ""),
        (["serial: 10%", "max_failures: 3"], ("10%",), "3"),
        (['serial: [1, "10%", 50%]', "max_failures: 20%"], ("1", "10%", "50%"), "20%"),
        (["serial: []"], (), ""),
        (["forks: 5"], (), ""),
    ],
)
def test_numbers_stand_there_as_people_write_them(
    tmp_path: Path, lines: list[str], serial: tuple[str, ...], most: str
) -> None:
    defaults = load_config(written(tmp_path, *lines)).defaults
    assert (defaults.serial, defaults.max_failures) == (serial, most)


def test_each_that_is_no_number_of_hosts_is_told_at_its_own_line(tmp_path: Path) -> None:
    path = written(tmp_path, "max_failures: 0", "serial:", "  - 1", "  - 101%", "  - 10%", "  - half")
    with pytest.raises(DocumentError) as told:
        load_config(path)
    lines = {one.message: one.where for one in told.value.problems}
    assert lines == {
        "'101%' is no number of hosts": f"{path}:5:7",
        "'half' is no number of hosts": f"{path}:7:7",
        "'0' is no number of hosts": f"{path}:2:17",
    }
    assert {one.hint for one in told.value.problems} == {HINT}


@pytest.mark.parametrize("line", ["serial: true", "serial: 1.5", "serial: {first: 1}", "max_failures: [1, 2]"])
def test_what_is_no_number_at_all_is_a_mistake_too(tmp_path: Path, line: str) -> None:
    with pytest.raises(DocumentError) as told:
        load_config(written(tmp_path, line))
    assert len(told.value.problems) == 1
    assert ":2" in told.value.problems[0].where
