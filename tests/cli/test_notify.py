"""Whoever is not at the keyboard is told how a run ended: once, durably, and whoever is dead delays nobody."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import Ran, environment, here
from tests.cli.test_json import valid
from tests.cli.test_schedule import entry, fired, schedules
from tests.receiving import Receiving, drip, receiving, say

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "config.yaml"


def hook(server: Receiving | str, name: str = "hook", **more: Any) -> str:
    url = server if isinstance(server, str) else server.url
    return json.dumps({"name": name, "way": "webhook", "url": url, **more})


def with_receivers(config: Path, *receivers: str) -> None:
    config.write_text(f"notify: [{', '.join(receivers)}]\n")


def refused(folder: Path, *more: str) -> Ran:
    """A run whose only step needs a person: none is there."""
    path = book(folder, act("touch", "touch", str(folder / "done"), risk="medium"))
    return here("run", path, "--host", "local", "--no-input", "--config-dir", str(folder / "config"), *more)


def report_of(document: dict[str, Any], state: Path) -> str:
    """The command that shows the run: complete, since whoever reads the message has another environment."""
    return f"runbook report {document['run']} --state-dir {state} --config-dir {state.parent / 'config'}"


def told(server: Receiving) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in server.posted]


def test_a_plan_that_waits_is_told_with_the_command_that_carries_it_out(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as server:
        with_receivers(config, hook(server))
        assert refused(tmp_path).code == 5
    [document] = told(server)
    valid(document, "notification")
    assert document["occasion"] == "needs-approval"
    assert document["verdict"].startswith("local: small: a plan waits for a person: ")
    assert "The host has memory" in document["evidence"][0]
    words = document["command"].split()
    assert words[:2] == ["runbook", "apply"]
    monkeypatch.delenv("RUNBOOK_STATE_DIR")  # another shell, by whoever is on call
    applied = here(*words[1:])
    assert applied.code == 0, applied.said
    assert (tmp_path / "done").exists()


def test_the_same_again_is_counted_and_a_run_that_ends_well_tells_nobody(tmp_path: Path, config: Path) -> None:
    with receiving() as server:
        with_receivers(config, hook(server))
        well = book(tmp_path, look("look", "true"), name="well")
        assert here("run", well, "--host", "local", "--yes", "--config-dir", str(config.parent)).code == 0
        assert server.posted == []
        for _ in range(3):
            refused(tmp_path)
    assert len(server.posted) == 1
    listed = here("notify", "list", "--config-dir", str(config.parent))
    assert "(seen 3 times)" in listed.out
    assert "1 message: 1 sent" in listed.out


def test_what_waits_is_sent_by_a_command_that_finds_it(tmp_path: Path, config: Path, state: Path) -> None:
    with_receivers(config, hook("http://127.0.0.1:9/"))
    refused(tmp_path)
    listed = here("notify", "list", "--config-dir", str(config.parent))
    command = f"runbook notify send --all --state-dir {state} --config-dir {config.parent}"
    assert f"To send what waits now:  {command}\n" in listed.out
    assert here(*command.split()[1:]).code == 3


def test_only_of_what_it_wants_to_hear(tmp_path: Path, config: Path) -> None:
    with receiving() as server:
        with_receivers(config, hook(server, on=["failed"]), hook(server, "other", hosts="db*"))
        refused(tmp_path)
    assert server.posted == []


def test_a_step_that_fails_is_told_with_the_report(tmp_path: Path, config: Path, state: Path) -> None:
    fails = book(tmp_path, act("act", "sh", "-c", "echo zirconium-42 >&2; exit 3"), name="fails")
    with receiving() as server:
        with_receivers(config, hook(server))
        ran = here("run", fails, "--host", "local", "--yes", "--config-dir", str(config.parent))
        assert ran.code == 3
    [document] = told(server)
    assert document["occasion"] == "failed"
    assert any(line.startswith("act: failed") for line in document["evidence"])
    assert document["command"] == report_of(document, state)


def test_secrets_and_control_characters_do_not_leave(tmp_path: Path, config: Path) -> None:
    says = r"printf 'password=zirconium-42 \033[31m <script>\n' >&2; exit 3"
    fails = book(tmp_path, act("act", "sh", "-c", says), name="fails")
    with receiving() as server:
        with_receivers(config, hook(server))
        here("run", fails, "--host", "local", "--yes", "--config-dir", str(config.parent))
    [posted] = server.posted
    assert b"zirconium-42" not in posted.body
    assert b"<script>" in posted.body, "it is data: whoever shows it as markup must write it out"
    assert not re.search(rb"\\u00[01]|\x1b", posted.body)


def test_who_is_dead_or_slow_delays_nobody_and_is_told_later(tmp_path: Path, config: Path) -> None:
    with receiving() as well, receiving(drip) as slow, receiving(say(500), say(200)) as sick:
        with_receivers(
            config,
            hook(slow, "slow", deadline="2s"),
            hook("http://127.0.0.1:9/", "dead"),
            hook(sick, "sick"),
            hook(well),
        )
        began = time.monotonic()
        ran = refused(tmp_path)
        assert time.monotonic() - began < 15
        assert ran.code == 5, "who is not told does not change how the run ended"
        for name, why in (("slow", "no answer within 2 s"), ("dead", "refused"), ("sick", "it says 500")):
            assert re.search(rf"note: {name} was not told yet: .*{why}", ran.err), ran.err
        assert len(well.posted) == 1
        sent = here("notify", "send", "--all", "--config-dir", str(config.parent))
        assert sent.code == 3
        assert "1 message sent" in sent.out
        first, second = sick.posted
        assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
        assert len(well.posted) == 1
    listed = json.loads(here("notify", "list", "--json", "--config-dir", str(config.parent)).out)
    states = {one["receiver"]: one["state"] for one in listed["notifications"]}
    assert states == {"slow": "waiting", "dead": "waiting", "sick": "sent", "hook": "sent"}


def test_who_is_killed_between_queueing_and_sending_has_it_sent_once_by_the_next(tmp_path: Path, config: Path) -> None:
    path = book(tmp_path, act("touch", "touch", str(tmp_path / "done"), risk="medium"))
    words = ["run", path, "--host", "local", "--no-input", "--config-dir", str(config.parent)]
    with receiving() as server:
        with_receivers(config, hook(server))
        code = "import memrunbook.app.notifying as n, os; n._send = lambda *a, **k: os.kill(os.getpid(), 9)\n"
        main = f"{code}from memrunbook.cli.main import main; main()"
        words = [sys.executable, "-c", main, *words]
        killed = subprocess.run(words, check=False, capture_output=True, env=environment())
        assert killed.returncode == -signal.SIGKILL
        assert server.posted == []
        sent = [here("notify", "send", "--config-dir", str(config.parent)) for _ in range(2)]
    assert [one.out for one in sent] == ["1 message sent\n", "0 messages sent\n"]
    assert len(server.posted) == 1


def test_two_who_send_at_once_send_it_once(tmp_path: Path, config: Path) -> None:
    with receiving(say(500), say(200)) as server:
        with_receivers(config, hook(server))
        refused(tmp_path)
        main = "from memrunbook.cli.main import main; main()"
        words = [sys.executable, "-c", main, "notify", "send", "--all", "--config-dir", str(config.parent)]
        both = [subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = sorted(one.communicate(timeout=60)[0] for one in both)
    assert said == ["0 messages sent\n", "1 message sent\n"]
    assert len(server.posted) == 2


def test_without_a_store_it_is_tried_once_and_said(tmp_path: Path, config: Path, state: Path) -> None:
    from memrunbook.app.notifying import told as tell_them
    from memrunbook.core.run.notification import Notification
    from memrunbook.documents.library import usual_library

    state.mkdir(0o700)
    (state / "store.sqlite").write_bytes(b"no database at all" * 100)
    with receiving() as server:
        with_receivers(config, hook(server))
        one = Notification(occasion="failed", key="k", at=0.0, verdict="it failed", host="web1")
        problems = tell_them([one], state, usual_library(config_dir=config.parent))
    assert len(server.posted) == 1
    assert len(problems) == 1
    assert "cannot be queued" in problems[0]


def test_a_receiver_can_be_tried_out(tmp_path: Path, config: Path) -> None:
    with receiving(say(200), say(503, b"closed")) as server:
        with_receivers(config, hook(server), hook("http://127.0.0.1:9/", "dead"))
        where = ("--config-dir", str(config.parent))
        assert here("notify", "test", "hook", *where).out == "hook: taken\n"
        both = here("notify", "test", *where)
        assert both.code == 3
        assert "hook: NOT taken: it says 503: closed" in both.out
        here("notify", "test", "nosuch", *where).refused(2, "no receiver 'nosuch'", hint="hook, dead")
    valid(told(server)[0], "notification")
    assert told(server)[0]["occasion"] == "test"
    here("notify", "test").refused(2, "there is no receiver", hint="config.yaml")


def test_nobody_was_told_anything(config: Path) -> None:
    config.write_text("{}\n")
    assert here("notify", "list", "--config-dir", str(config.parent)).out == "Nobody was told anything yet.\n"
    assert here("notify", "send", "--config-dir", str(config.parent)).out == "0 messages sent\n"


def test_limits_that_hold_a_change_back_are_told_as_such(tmp_path: Path, config: Path) -> None:
    step = act("add", "sh", "-c", f"echo once >> {tmp_path / 'added'}", risk="medium")
    path = book(tmp_path, step, resolved="memory.available_percent > 100.0")
    words = ("run", path, "--host", "local", "--allow", "run_command", "--config-dir", str(config.parent))
    with receiving() as server:
        with_receivers(config, hook(server))
        assert here(*words).code == 3
        assert here(*words).code == 5
    assert [one["occasion"] for one in told(server)] == ["unresolved", "breaker-open"]
    assert "a person at a terminal may still allow it" in told(server)[1]["verdict"]


def test_several_hosts_in_the_same_trouble_are_one_message_to_whom_they_concern(
    tmp_path: Path, config: Path, state: Path
) -> None:
    path = book(tmp_path, look("look", "true"))
    inventory = tmp_path / "inventory"
    inventory.write_text("[all:vars]\nansible_host=127.0.0.1\nansible_port=1\n[all]\nweb[1:14]\ndb7\n")
    ssh = ("--ssh-config", "/dev/null", "--patience", "1s")
    with receiving() as every, receiving() as of_db:
        with_receivers(config, hook(every), hook(of_db, "db", hosts="db*"))
        ran = here("run", path, "-i", str(inventory), "--host", "all", *ssh, "--config-dir", str(config.parent))
        assert ran.code == 4, ran.said
    [document] = told(every)
    assert document["verdict"] == "15 hosts (db7, web[1:14]): not reached: small"
    assert len(document["evidence"]) == 11
    assert document["evidence"][-1] == "and 5 more hosts"
    assert document["command"] == report_of(document, state)
    [alone] = told(of_db)
    assert alone["host"] == "db7"


def test_a_plan_that_was_changed_is_refused_and_told(tmp_path: Path, config: Path, state: Path) -> None:
    with receiving() as server:
        with_receivers(config, hook(server, on=["refused"]))
        refused(tmp_path)
        [plan] = state.glob("runs/*/plan-local.json")
        plan.write_text(plan.read_text().replace('"risk": 2', '"risk": 1'))
        ran = here("apply", str(plan), "--config-dir", str(config.parent))
        assert ran.code == 5, ran.said
    [document] = told(server)
    assert document["occasion"] == "refused"
    assert "the file was changed" in document["verdict"]
    assert not (tmp_path / "done").exists()


def test_limits_that_hold_a_schedule_back_are_told_once_with_when_they_let_go(
    tmp_path: Path, config: Path, state: Path
) -> None:
    step = act("add", "sh", "-c", f"echo once >> {tmp_path / 'added'}", risk="medium")
    path = book(tmp_path, step, resolved="memory.available_percent > 100.0")
    (planned,) = json.loads(here("plan", path, "--host", "local", "--json").out)["hosts"]
    allow = json.dumps(f"run_command:{planned['steps'][0]['target']}")
    where = schedules(tmp_path, entry(path, f", mode: run, allow: [{allow}]"))
    with receiving() as server:
        (tmp_path / "conf" / "config.yaml").write_text(f"notify: [{hook(server)}]\n")
        states = [fired(state, where)["state"] for _ in range(3)]
    assert states == ["failed", "waits", "waits"]
    assert (tmp_path / "added").read_text() == "once\n"
    first, held = told(server)
    assert (first["occasion"], held["occasion"]) == ("unresolved", "breaker-open")
    assert held["schedule"] == "often"
    assert re.search(r"\(cool-down, [\d.]+ min left\)", " ".join([held["verdict"], *held["evidence"]]))
    assert held["command"].startswith("runbook apply ")
    assert f" --state-dir {state}" in held["command"]
    assert f" --config-dir {tmp_path / 'conf'}" in held["command"]
