"""Alerts: what the host is found to have decides; what is said in the alert is data."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book
from tests.cli.console import Ran, environment, here
from tests.cli.test_json import valid
from tests.receiving import receiving

from memrunbook.state.store import alerts

pytestmark = pytest.mark.usefixtures("machine")


def alert(name: str, instance: str = "local:9100", status: str = "firing", **labels: str) -> dict[str, Any]:
    return {"status": status, "labels": {"alertname": name, "instance": instance, **labels}, "startsAt": "x"}


def posted(*alerts: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts, **more}).encode()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two runbooks: one whose incident is always found here, one whose never is."""
    folder = tmp_path / "config"
    (folder / "runbooks").mkdir(parents=True)
    step = act("touch", "touch", str(tmp_path / "done"), risk="medium")
    book(folder / "runbooks", step, name="always")
    never = Path(book(folder / "runbooks", step, name="never"))
    never.write_text(never.read_text().replace("when: memory.total_bytes > 0", "when: memory.total_bytes < 0"))
    (folder / "inventory").write_text("local ansible_connection=local\nweb1.example.org ansible_host=192.0.2.7\n")
    return folder / "config.yaml"


def answer(config: Path, document: bytes, entries: str, *more: str) -> Ran:
    config.write_text(f"defaults: {{inventory: inventory}}\nalerts:\n{entries}")
    return here("alert", "--config-dir", str(config.parent), *more, stdin=document)


ALWAYS = "  - {alertname: Always, runbook: always}\n"
NEVER = "  - {alertname: Never, runbook: never}\n"


def test_where_its_incident_is_found_a_plan_waits_and_nothing_is_done(tmp_path: Path, config: Path) -> None:
    with receiving() as server:
        notify = f"notify: [{{name: hook, way: webhook, url: '{server.url}'}}]\n"
        ran = answer(config, posted(alert("Always")), f"{ALWAYS}{notify}")
    assert ran.code == 8, ran.said
    assert "alert Always for local: always applies there: plan saved, it waits for a person" in ran.out
    assert "needs --allow" not in ran.said
    assert "REFUSED" not in ran.said
    assert not (tmp_path / "done").exists()
    [told] = [json.loads(one.body) for one in server.posted]
    assert told["occasion"] == "needs-approval"
    assert "config.yaml:3 (alerts) only plans" in told["verdict"]
    assert "/waiting/alert:always@local.json" in told["command"], "the next answer replaces it"
    words = told["command"].split()[1:]
    assert here(*words, "--config-dir", str(config.parent)).code == 0
    assert (tmp_path / "done").exists()


def test_what_is_not_found_there_is_not_done_whatever_the_alert_says(tmp_path: Path, config: Path) -> None:
    run = NEVER.replace("}", ", mode: run, max_risk: high, allow: [run_command]}")
    ran = answer(config, posted(alert("Never")), run)
    assert ran.code == 8, ran.said
    assert "never does not apply there now; found: always" in ran.out
    assert not (tmp_path / "done").exists()


def test_a_host_with_which_nothing_is_wrong(tmp_path: Path, config: Path) -> None:
    (config.parent / "runbooks" / "always.yaml").unlink()
    ran = answer(config, posted(alert("Never"), alert("Never", status="resolved", x="1")), NEVER, "--json")
    document = json.loads(ran.out)
    valid(document, "alert")
    if document["alerts"][0]["answer"] == "other":
        pytest.skip(f"something is wrong with this machine: {document['alerts'][0]['found']}")
    assert [one["answer"] for one in document["alerts"]] == ["healthy", "resolved"]
    assert document["alerts"][0]["why"] == "nothing wrong now"
    assert (ran.code, document["runs"]) == (0, [])


@pytest.mark.parametrize(
    ("options", "does"),
    [
        ("mode: run, max_risk: low, allow: [run_command]", False),
        ("mode: run, max_risk: medium", False),
        ("mode: plan, max_risk: high, allow: [run_command]", False),
        ("mode: run, max_risk: medium, allow: [run_command]", True),
    ],
)
def test_nothing_is_done_beyond_what_is_allowed(tmp_path: Path, config: Path, options: str, does: bool) -> None:  # noqa: FBT001
    ran = answer(config, posted(alert("Always")), ALWAYS.replace("}", f", {options}}}"))
    assert (tmp_path / "done").exists() is does, ran.said
    assert ran.code == (0 if does else 8 if "plan" in options else 5)


def test_one_run_for_a_host_and_the_same_alert_again_is_counted(config: Path) -> None:
    both = posted(alert("Always"), alert("Always", severity="critical"), alert("Always"))
    ran = answer(config, both, ALWAYS, "--json")
    document = json.loads(ran.out)
    assert [one["answer"] for one in document["alerts"]] == ["planned", "joined", "counted"]
    assert len(document["runs"]) == 1
    again = json.loads(answer(config, both, ALWAYS, "--json").out)
    assert [(one["answer"], one["seen"]) for one in again["alerts"]] == [("counted", 3), ("counted", 2), ("counted", 4)]
    assert again["runs"] == []


@pytest.mark.parametrize(
    "instance",
    ["evil.example.org:22", "-oProxyCommand=touch x", "$(id)", "../../etc", "a\nb\x1b[31m", "all", "web*", ""],
)
def test_a_host_that_the_inventory_does_not_have_is_never_gone_to(config: Path, instance: str) -> None:
    ran = answer(config, posted(alert("Always", instance)), ALWAYS)
    assert ran.code == 2
    assert "1 no such host" in ran.out
    ran.plain()


def test_a_host_is_found_by_the_beginning_of_its_name_and_by_its_address(config: Path) -> None:
    for instance in ("web1:9100", "web1.example.org", "192.0.2.7:9100"):
        ran = answer(
            config, posted(alert("Always", instance)), ALWAYS, "--json", "--patience", "1s", "--ssh-config", "/dev/null"
        )
        [one] = json.loads(ran.out)["alerts"]
        assert (one["host"], one["answer"], ran.code) == ("web1.example.org", "unreachable", 4)


def test_an_alert_that_nobody_wrote_down_is_listed(config: Path) -> None:
    ran = answer(config, posted(alert("Other"), truncatedAlerts=7), ALWAYS)
    assert ran.code == 0
    assert "alert Other: no entry of alerts: in config.yaml is about it" in ran.out
    assert "7 more were left out by Alertmanager" in ran.out


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"x" * (5 << 20), "larger than 1 MiB"),
        (b"", "nothing in it"),
        (b"\xff\xfe{", "no JSON"),
        (b"[" * 100_000, "array"),
        (b'{"version": "3", "alerts": []}', "version '3'"),
        (b'{"version": "4"}', "alerts"),
        (b'{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": 5}}]}', "Expected `str`"),
        (b'{"version": "4", "alerts": [{"status": "burning", "labels": {}}]}', "burning"),
        (json.dumps({"version": "4", "alerts": [alert("x", y="a" * 5000)]}).encode(), "length"),
        (posted(alert("x"), truncatedAlerts=-5), "truncatedAlerts"),
        (posted(alert("x"))[:-5], "truncated"),
        (posted(alert("x")).replace(b"local", b"\xe9"), "no JSON"),
        (b'{"version": "4", "alerts": NaN}', "no JSON"),
        (b"[]", "Expected `object`"),
    ],
)
def test_a_document_that_is_none_is_told_what_is_wrong(config: Path, document: bytes, told: str) -> None:
    answer(config, document, ALWAYS).refused(2, told)


def test_a_mistake_in_config_is_told_before_any_host_is_asked(config: Path) -> None:
    here("alert", stdin=posted(alert("x"))).refused(2, "says nothing of alerts", hint="alerts:")
    answer(config, posted(alert("x")), "  - {alertname: x, runbook: nosuch}\n").refused(2, "nosuch")
    broken = config.parent / "runbooks" / "broken.yaml"
    broken.write_text((config.parent / "runbooks" / "always.yaml").read_text().replace("when: ", "wen: "))
    answer(config, posted(alert("x")), "  - {alertname: x, runbook: broken}\n").refused(2, "broken.yaml", "wen")
    path = config.parent / "runbooks" / "always.yaml"
    elsewhere = answer(config, posted(alert("x")), f"  - {{alertname: x, runbook: {path}}}\n")
    elsewhere.refused(2, "no runbook that a diagnosis judges", hint="its name alone")
    broken.unlink()
    allow = "  - {alertname: x, runbook: always, allow: [nosuch]}\n"
    answer(config, posted(alert("x")), allow).refused(2, "there is no action")
    answer(
        config, posted(alert("x")), "  - {alertname: x, runbook: always, allow: ['freeze:x'], window: 1s}\n"
    ).refused(2, "nobody is there", "from 60 s to 24 h")


def test_of_more_than_it_looks_at_the_first_are_answered_and_the_rest_is_said(config: Path) -> None:
    many = b"\xef\xbb\xbf" + posted(*[alert("Other", x=str(number)) for number in range(1003)])
    ran = answer(config, many, ALWAYS)
    assert ran.code == 0
    assert ran.out.startswith("1,000 alerts: 1000 no entry")
    assert "3 more were not looked at: 1000 at once" in ran.out
    document = json.loads(answer(config, many, ALWAYS, "--json").out)
    valid(document, "alert")
    assert (len(document["alerts"]), document["left_out"]) == (1000, 3)


@pytest.mark.parametrize(("closed", "said"), [(True, "there is nothing in it"), (False, "was not closed within 1.0 s")])
def test_a_stdin_that_is_closed_or_never_ends_is_said_in_time(config: Path, *, closed: bool, said: str) -> None:
    config.write_text(f"alerts:\n{ALWAYS}")
    short = "import memrunbook.cli.posted as p; p.read_posted.__defaults__ = (1.0,); "
    code = f"{short}from memrunbook.cli.main import main; main()"
    words = [sys.executable, "-c", code, "alert", "--config-dir", str(config.parent)]
    if closed:
        words = ["sh", "-c", 'exec "$@" <&-', "sh", *words]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as running:
        assert running.stdin is not None
        if not closed:
            running.stdin.write(b'{"version"')
            running.stdin.flush()
        assert running.stderr is not None
        told = running.stderr.read().decode()
        assert running.wait(60) == 2
    assert said in told
    assert "hint: " in told


def test_who_is_killed_while_it_answers_leaves_the_alert_to_the_next(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"defaults: {{inventory: inventory}}\nalerts:\n{ALWAYS}")
    code = "import memrunbook.app.alerting as a, os; a.diagnose = lambda *_, **__: os.kill(os.getpid(), 9)\n"
    main = f"{code}from memrunbook.cli.main import main; main()"
    words = [sys.executable, "-c", main, "alert", "--config-dir", str(config.parent)]
    document = posted(alert("Always"))
    killed = subprocess.run(words, check=False, input=document, capture_output=True, env=environment())
    assert killed.returncode == -signal.SIGKILL
    at_once = json.loads(answer(config, document, ALWAYS, "--json").out)
    assert at_once["alerts"][0]["answer"] == "counted", "somebody may be at it still"
    with monkeypatch.context() as later_on:
        later_on.setattr(alerts, "CLAIMED", 0.0)
        later = json.loads(answer(config, document, ALWAYS, "--json").out)
    assert later["alerts"][0]["answer"] == "planned"
    again = json.loads(answer(config, document, ALWAYS, "--json").out)
    assert again["alerts"][0]["answer"] == "counted"


def test_a_store_that_is_broken_is_told_to_somebody_who_posts_reads_no_exit_code(config: Path, state: Path) -> None:
    state.mkdir(0o700)
    (state / "store.sqlite").write_bytes(b"no database at all" * 100)
    with receiving() as server:
        notify = f"notify: [{{name: hook, way: webhook, url: '{server.url}'}}]\n"
        ran = answer(config, posted(alert("Always")), f"{ALWAYS}{notify}")
        answer(config, posted(alert("Always", status="resolved")), f"{ALWAYS}{notify}")
    assert ran.code == 6
    [told] = [json.loads(one.body) for one in server.posted]
    assert told["verdict"].startswith("alerts are not answered: ")
    assert told["evidence"][0] == "firing: Always"
    assert told["command"].startswith("runbook doctor --state-dir ")


def test_limits_that_hold_an_alert_back_are_told_once(tmp_path: Path, config: Path) -> None:
    step = act("add", "sh", "-c", f"echo once >> {tmp_path / 'added'}", risk="medium")
    book(config.parent / "runbooks", step, name="always", resolved="memory.available_percent > 100.0")
    run = ALWAYS.replace("}", ", mode: run, max_risk: medium, allow: [run_command]}")
    with receiving() as server:
        notify = f"notify: [{{name: hook, way: webhook, url: '{server.url}'}}]\n"
        for number in range(3):
            answer(config, posted(alert("Always", x=str(number))), f"{run}{notify}")
    assert (tmp_path / "added").read_text() == "once\n"
    assert [json.loads(one.body)["occasion"] for one in server.posted] == ["unresolved", "breaker-open"]
