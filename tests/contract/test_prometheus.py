"""The alerts that are shipped fire for our incidents, as promtool sees them; each names a runbook that there is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize("words", [("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")])
def test_promtool_finds_nothing_wrong(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    done = subprocess.run(["promtool", *words], check=False, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
