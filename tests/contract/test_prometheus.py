"""The alerts that are shipped fire for our incidents, as promtool sees them; each names a runbook that there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from memrunbook.documents.config import load_config

FOLDER = Path(__file__).parents[2] / "share" / "prometheus"
RULES = [
    rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text("utf-8"))["groups"] for rule in group["rules"]
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_of_an_incident_names_a_runbook_and_is_tested(rule: dict[str, dict[str, str]]) -> None:
    runbook = rule["annotations"].get("runbook")
    assert str(rule["alert"]) in (FOLDER / "rules_test.yaml").read_text("utf-8")
    if str(rule["alert"]).startswith("Memrunbook"):
        assert runbook is None
    else:
        assert (FOLDER.parents[1] / "runbooks" / f"{runbook}.yaml").is_file()


PAGE = (FOLDER.parents[1] / "docs" / "how-to" / "alertmanager.md").read_text("utf-8")
NAMED = {str(rule["alert"]): rule["annotations"]["runbook"] for rule in RULES if "runbook" in rule["annotations"]}


def test_the_docs_name_the_runbook_of_each_alert() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", PAGE, re.MULTILINE)) == NAMED


def test_the_entries_of_the_docs_lead_each_alert_to_its_runbook(tmp_path: Path) -> None:
    block = PAGE[PAGE.index("In config.yaml:") :]
    (tmp_path / "config.yaml").write_text(block[block.index("alerts:") : block.index("```\n\n")])
    rules = load_config(tmp_path / "config.yaml").alerts
    found = {name: next(rule.spec.runbook for rule in rules if rule.matches({"alertname": name})) for name in NAMED}
    assert found == NAMED


def test_the_route_takes_each_alert_that_has_a_runbook_and_no_other() -> None:
    (route,) = yaml.safe_load((FOLDER / "alertmanager.yaml").read_text("utf-8"))["route"]["routes"]
    [matcher] = route["matchers"]
    pattern = re.fullmatch(r'alertname =~ "(.*)"', matcher)
    assert pattern is not None
    assert {str(rule["alert"]) for rule in RULES if re.fullmatch(pattern[1], str(rule["alert"]))} == set(NAMED)


@pytest.mark.parametrize("words", [("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")])
def test_promtool_finds_nothing_wrong(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    done = subprocess.run(["promtool", *words], check=False, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
