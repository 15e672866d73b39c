"""Finding, showing, making and checking runbooks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.console import ROOT, apart, here

SHIPPED = ("memory-fragmentation", "memory-shortage", "oom-event", "swap-thrashing")


def test_list_names_every_runbook_and_who_wins(tmp_path: Path) -> None:
    (tmp_path / "oom-event.yaml").write_text("name: oom-event\ntitle: Mine\n")
    (tmp_path / "broken.yaml").write_text("name: [\n")
    ran = here("list", "--runbooks", str(tmp_path))
    assert ran.code == 0
    for word in (*SHIPPED, "Mine", "not used:", "cannot be read"):
        assert word in ran.out
    found = json.loads(here("list", "--json", "--runbooks", str(tmp_path)).out)["runbooks"]
    assert [one["name"] for one in found].count("oom-event") == 2


@pytest.mark.parametrize("name", SHIPPED)
def test_show_explains(name: str) -> None:
    ran = here("show", name)
    assert ran.code == 0
    assert "Checks" in ran.out
    assert "Steps" in ran.out
    assert json.loads(here("show", name, "--json").out)["runbook"]["name"] == name


@pytest.mark.parametrize("name", [*SHIPPED, "./mine.yaml"])
def test_show_yaml_is_the_file_itself(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("# kept \u4e2d\r\nname: mine", encoding="utf-8")
    file = tmp_path / name if "/" in name else ROOT / "runbooks" / f"{name}.yaml"
    ran = apart("show", name, "--yaml")
    assert (ran.code, ran.out.encode()) == (0, file.read_bytes())
    here("show", name, "--yaml", "--json").refused(2, "another format changes nothing of it", hint="leave one")
    here("show", name, "--yaml", "-p", "a=1").refused(2, "-p changes nothing of it", hint="leave one")


FORM_AND_SENSE = """\
apiVersion: memrunbook/v1
name: bad
title: Bad
nonsense: 1
checks:
  - {id: low, name: Low, when: memory.avalable_percent < 10.0, severity: critical}
  - {id: form, name: Form, when: memory.available_percent < 10.0, severity: awful}
incident: checks.low && checks.form && checks.gone
causes:
  - {kind: nobody, name: '"x"', score: "1.0"}
steps:
  - {id: one, name: One, action: no_such_action}
  - {id: two, name: Two, action: capture_evidence, confirm: maybe}
"""


def test_mistakes_of_form_and_of_sense_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(FORM_AND_SENSE)
    ran = here("validate", str(path))
    assert ran.code == 2
    found = re.findall(rf"{path}:(\d+):\d+: (.*)", ran.out)
    told = [(4, "nonsense"), (6, "avalable"), (7, "awful"), (8, "checks.gone"), (10, "nobody"),
            (12, "no_such_action"), (13, "maybe")]  # fmt: skip
    assert [int(number) for number, _ in found] == [number for number, _ in told]
    assert all(word in words for (_, words), (_, word) in zip(found, told, strict=True))


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("Fix the swap", "reads like an order"),
        ("Swap is full.", "ends in '.'"),
        ("Is swap full?", "ends in '?'"),
        ("Swap: full", "has a : or ; inside"),
        ("Swap  is full", "has a line break, or blanks that nobody sees"),
        ("nginx is too fat", ""),
        ("Swap is full", ""),
    ],
)
def test_a_title_that_makes_a_bad_sentence_is_a_warning(tmp_path: Path, title: str, why: str) -> None:
    path = tmp_path / "mine.yaml"
    assert here("new", "mine", "--out", str(path)).code == 0
    path.write_text(re.sub("(?m)^title: .*", f"title: '{title}'", path.read_text()))
    ran = here("validate", str(path))
    assert ran.code == 0
    assert ("warning: the title" in ran.out) == bool(why)
    assert why in ran.out


def test_a_new_runbook_is_valid_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my-service.yaml"
    assert here("new", "my-service", "--out", str(path)).code == 0
    checked = here("validate", str(path))
    assert checked.code == 0, checked.said
    assert "no problems" in checked.out
    here("new", "my-service", "--out", str(path)).refused(2, "cannot be written", hint="another")
    here("new", "My Service").refused(2, "is no name", hint="lower-case")


def test_validate_says_which_files_it_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("reason: optional\n")
    (tmp_path / "schedules.yaml").write_text(
        "schedules: [{name: a, every: 1h, runbook: memory-shortage, hosts: local}]\n"
    )
    every = here("validate", "--config-dir", str(tmp_path)).out
    assert re.fullmatch(r"OK: no problems in \d+ runbooks, config.yaml and schedules.yaml\n", every)
    one = str(tmp_path / "schedules.yaml")
    assert here("validate", one, "--config-dir", str(tmp_path)).out.split() == f"OK: no problems in {one}".split()


def test_validate_tells_all_in_json(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("apiVersion: memrunbook/v1\nname: bad\nextra: 1\n")
    ran = here("validate", str(path), "--json")
    assert ran.code == 2
    assert len(json.loads(ran.out)["problems"]) >= 2
    assert json.loads(here("validate", "--json").out) == {
        "format": "memrunbook.problems/1",
        "problems": [],
        "warnings": [],
    }


def test_one_broken_file_disables_no_diagnosis(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: [\n")
    ran = here("diagnose", "--host", "local", "--runbooks", str(tmp_path))
    assert ran.code in (2, 8, 9), "not all was judged"
    assert "left out of this diagnosis" in ran.err
    assert "broken.yaml:" in ran.err
