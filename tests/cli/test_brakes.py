"""Limits by what was done before, and the kill switch, as people meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import here, terminal

pytestmark = pytest.mark.usefixtures("machine")


def written(folder: Path, risk: str = "low") -> list[str]:
    """A command that adds a line to a file each time it is carried out; the incident stays."""
    steps = act("add", "sh", "-c", f"echo once >> {folder / 'done'}", risk=risk)
    return ["run", book(folder, steps, resolved="memory.available_percent > 100.0"), "--host", "local"]


def times(folder: Path) -> int:
    path = folder / "done"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_what_another_run_just_did_needs_a_persons_word(tmp_path: Path) -> None:
    words = written(tmp_path, risk="medium")
    assert here(*words, "--allow", "run_command").code == 3
    again = here(*words, "--allow", "run_command")
    assert again.code == 5, again.said
    assert "the same was done" in again.out
    assert "a person at a terminal may still allow it" in again.out
    assert "To go on, at a terminal:  runbook run" in again.out
    assert "To allow it" not in again.out, "no consent given beforehand would help"
    assert times(tmp_path) == 1
    with terminal(*words) as screen:
        screen.expect("Limits")
        screen.expect("Q stop all hosts")
        screen.type("y\n")
        screen.expect("A y is not enough: it goes beyond a limit")
        screen.type("n\n")
        assert screen.wait() == 5
    assert "cool-down" in screen.drawn
    assert times(tmp_path) == 1


def test_while_changes_are_switched_off_nothing_is_done(tmp_path: Path) -> None:
    words = written(tmp_path)
    off = here("off", "--for", "2h", "a", "release")
    assert off.code == 0
    assert "OFF: changes are switched off by" in off.out
    assert "(for 2 h more): a release" in off.out
    here(*words, "--yes").refused(5, "changes are switched off", "a release", hint="runbook on")
    assert times(tmp_path) == 0
    shown = here("plan", *words[1:])
    assert shown.code == 0, "a plan changes nothing"
    assert "SWITCHED OFF: changes are switched off by" in shown.out
    assert "a release; nothing will be changed" in shown.out
    assert "nothing will be changed" in here("diagnose", "--quick", "--host", "local").out
    (host,) = json.loads(here("plan", *words[1:], "--json").out)["hosts"]
    assert "changes are switched off by" in host["switched_off"][0]
    assert here("on").code == 0
    assert "SWITCHED OFF" not in here("plan", *words[1:]).out
    assert here("on").code == 0, "said twice it is no fault"
    assert here(*words, "--yes").code == 3
    assert times(tmp_path) == 1


def test_the_switch_turned_in_mid_run_stops_what_is_not_begun(tmp_path: Path) -> None:
    words = written(tmp_path)
    with terminal(*words) as screen:
        screen.expect("y/N")
        assert here("off").code == 0
        screen.type("y\n")
        assert screen.wait() == 5
    assert "changes are switched off" in screen.drawn
    assert times(tmp_path) == 0


def test_what_a_second_off_replaces_is_said_and_its_reason_is_kept() -> None:
    assert here("off", "--for", "2h", "a", "release").code == 0
    again = here("off")
    assert again.code == 0
    assert ": a release" in again.out.splitlines()[0]
    assert "until" not in again.out.splitlines()[0]
    assert "Until now: changes are switched off by " in again.out
    assert "more): a release" in again.out
    assert "Until now" not in here("on").out + here("off").out


def test_the_longer_switch_holds_and_says_whom_it_binds(tmp_path: Path, state: Path) -> None:
    assert here("off", "--status").out.startswith("ON: ")
    assert not (state / "store.sqlite").exists(), "who only looks makes no store"
    assert f"binds whoever uses the store {state}/store.sqlite" in here("off", "year", "end").out
    here("off", "--for", "1h", "short").refused(5, "year end: without an end", hint="leave it")
    assert "year end" in here("off", "--status").out
    assert here("on").code == 0
    assert here("off", "--for", "2h").code == 0
    here("off", "--for", "1h").refused(5, "for longer")
    assert here("off", "--for", "3h").code == 0
    assert here("off").code == 0
    nowhere = tmp_path / "staet"
    here("off", "--state-dir", str(nowhere)).refused(2, "there is no such state directory", hint="holds nobody")
    assert not nowhere.exists()


@pytest.mark.parametrize("time", ["soon", "-1h", "0", "0s", "1s", "99999999d"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    here("off", "--for", time).refused(2, "--for")


def test_a_store_that_does_not_answer_stops_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_STORE", "postgresql://ada:s3cret@127.0.0.1:1/x")
    ran = here(*written(tmp_path), "--yes")
    ran.refused(6, "the store does not answer", hint="nothing is changed")
    assert "s3cret" not in ran.said
    assert times(tmp_path) == 0
    plan = here("plan", *written(tmp_path)[1:])
    assert (plan.code, "whether changes are switched off is not known: the store does not" in plan.out) == (0, True)
    monkeypatch.setenv("RUNBOOK_STORE", "mysql://x/y")
    here(*written(tmp_path), "--yes").refused(2, "is no store", hint="postgresql://")


def test_a_kubernetes_node_is_only_reported_on_whoever_consents(tmp_path: Path) -> None:
    words = written(tmp_path, risk="medium")
    ran = here(*words, "--allow", "run_command", "--tag", "kubernetes")
    assert ran.code == 5, ran.said
    assert "this is a Kubernetes node: changes are only reported here" in ran.out
    assert "kubectl cordon NODE" in ran.out
    assert times(tmp_path) == 0
    (host,) = json.loads(here("plan", *words[1:], "--tag", "kubernetes", "--json").out)["hosts"]
    assert [(step["decision"], step["refused"]) for step in host["steps"]] == [("blocked", True)]


def test_services_yaml_with_a_mistake_stops_before_any_host_is_asked(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text("services:\n  - unit: api\n    health: curl -f x\n")
    ran = here(*written(tmp_path), "--yes", "--config-dir", str(tmp_path))
    ran.refused(2, "services.yaml:3:13: must be a list", hint="[curl, -f, x]")
    assert times(tmp_path) == 0
