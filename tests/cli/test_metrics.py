"""Figures for Prometheus, of what runs left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
from tests.apart import is_own
from tests.cli.books import act, book, look
from tests.cli.console import here
from tests.cli.test_schedule import entry, fired, schedules
from tests.receiving import receiving

from memrunbook.cli.announcing import Announcer
from memrunbook.core.run.notification import Notification
from memrunbook.documents.library import Library
from memrunbook.state.store.changes import Store
from memrunbook.state.store.firings import pause


def figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(memrunbook\S*) (\S+)$", text, re.MULTILINE)}


@pytest.mark.usefixtures("machine")
def test_a_plan_that_waits_is_counted_until_it_is_carried_out(tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, act("touch", "touch", str(tmp_path / "done"), risk="medium"))
    assert here("run", path, "--host", "local", "--no-input").code == 5
    found = figures(here("metrics").out)
    assert found['memrunbook_incident{host="local",runbook="small"}'] == 1
    assert found['memrunbook_runs{runbook="small",outcome="refused"}'] == 1
    assert found['memrunbook_pending_approvals{runbook="small"}'] == 1
    assert (found["memrunbook_store_up"], found["memrunbook_switched_off"]) == (1, 0)
    [plan] = state.glob("runs/*/plan-local.json")
    assert here("apply", str(plan)).code == 0
    here("off", "a test")
    later = figures(here("metrics").out)
    assert later['memrunbook_runs{runbook="small",outcome="resolved"}'] == 1
    assert 'memrunbook_pending_approvals{runbook="small"}' not in later
    assert later["memrunbook_switched_off"] == 1
    assert later["memrunbook_exported_timestamp_seconds"] >= found["memrunbook_exported_timestamp_seconds"]


@pytest.mark.usefixtures("machine")
def test_what_schedules_do_is_told_and_what_waits_of_them_too(tmp_path: Path, state: Path) -> None:
    waits = book(tmp_path, act("touch", "touch", str(tmp_path / "done"), risk="medium"), name="waits")
    looks = book(tmp_path, look("look", "true"), name="looks")
    where = schedules(tmp_path, entry(waits), entry(looks, ", mode: run", "second"))
    fired(state, where)
    found = figures(here("metrics", where).out)
    assert abs(found['memrunbook_last_firing_timestamp_seconds{schedule="often"}'] - time.time()) < 60
    assert found['memrunbook_schedule_failures{schedule="often"}'] == 0
    assert found['memrunbook_schedule_paused{schedule="often"}'] == 0
    assert found['memrunbook_pending_approvals{runbook="waits"}'] == 1, "the plan of a schedule waits as one of a run"
    assert [name for name in found if name.startswith("memrunbook_scheduler_seen_timestamp_seconds{node=")]
    store = Store.open(state)
    pause(store, "often", time.time(), "a test")
    store.close()
    later = figures(here("metrics", where).out)
    assert later['memrunbook_schedule_paused{schedule="often"}'] == 1


@pytest.mark.usefixtures("machine")
def test_a_host_that_is_switched_off_by_its_own_file_is_told(tmp_path: Path) -> None:
    path = book(tmp_path, look("look", "true"))
    off = Path("/run/memrunbook/off")
    if not is_own():
        pytest.skip("this /run belongs to others too: their runs would be held back")
    assert here("run", path, "--host", "local", "--yes").code == 0
    assert figures(here("metrics").out)['memrunbook_host_switched_off{host="local"}'] == 0
    off.parent.mkdir(exist_ok=True)
    off.write_text("ada: a test\n")
    try:
        here("run", path, "--host", "local", "--yes")
        found = figures(here("metrics").out)
    finally:
        off.unlink()
    assert found['memrunbook_host_switched_off{host="local"}'] == 1
    assert found["memrunbook_switched_off"] == 0


def test_a_store_that_is_down_does_not_keep_the_scheduler_from_saying_so(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("notify: [{name: hook, way: webhook, url: 'http://127.0.0.1:9/'}]\n")
    state.mkdir(0o700)
    (state / "store.sqlite").write_bytes(b"no database at all" * 100)
    telling = Announcer(Library(settings=config), state, textfile=tmp_path / "mrb.prom")
    for _ in range(3):
        telling.beside()
        telling._sent = float("-inf")  # a minute later
    assert "memrunbook_store_up 0\n" in (tmp_path / "mrb.prom").read_text()
    assert capsys.readouterr().err.count("messages beside the schedules: ") == 1, "said once, not each minute"


def test_a_pipe_among_the_plans_that_wait_holds_nobody_up(state: Path) -> None:
    (state / "waiting").mkdir(mode=0o700, parents=True)
    state.chmod(0o700)
    os.mkfifo(state / "waiting" / "often@local.json")
    began = time.monotonic()
    assert here("pending").code == 0
    assert here("metrics").code == 0
    assert time.monotonic() - began < 30, "nobody writes into it: it would be waited for a minute each time"


def test_while_config_yaml_cannot_be_read_those_are_told_that_it_named_before(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    trouble = Notification(occasion="failed", key="k", at=5.0, verdict="nothing is begun", command="runbook doctor")
    with receiving() as server:
        config.write_text(f"notify: [{{name: hook, way: webhook, url: '{server.url}'}}]\n")
        telling = Announcer(Library(settings=config), state)
        telling.beside()
        config.write_text("notify: [{name: hook\n")
        telling([trouble])
    [posted] = server.posted
    assert f"--state-dir {state}" in json.loads(posted.body)["command"]
    said = capsys.readouterr().err
    assert "told by config.yaml as it was before: " in said
    assert "nobody else was told" not in said
    Announcer(Library(settings=config), state)([trouble])
    assert "nobody else was told: " in capsys.readouterr().err, "who never read one knows nobody"


def test_nothing_was_done_yet_and_promtool_accepts_it() -> None:
    ran = here("metrics")
    assert ran.code == 0
    assert figures(ran.out).keys() == {
        "memrunbook_switched_off", "memrunbook_exported_timestamp_seconds",
    }  # fmt: skip
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    done = subprocess.run(["promtool", "check", "metrics"], check=False, input=ran.out, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_store_that_is_damaged_is_a_figure_too(state: Path) -> None:
    state.mkdir(0o700)
    (state / "store.sqlite").write_bytes(b"no database at all" * 100)
    ran = here("metrics")
    assert ran.code == 0
    assert figures(ran.out)["memrunbook_store_up"] == 0


def test_the_textfile_is_whole_and_readable_by_the_collector(tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    folder.mkdir()
    before = os.umask(0o077)
    try:
        assert here("metrics", "--textfile", str(folder / "memrunbook.prom")).code == 0
    finally:
        os.umask(before)
    assert [path.name for path in folder.iterdir()] == ["memrunbook.prom"]
    assert stat.S_IMODE((folder / "memrunbook.prom").stat().st_mode) == 0o644
    assert "memrunbook_switched_off 0" in (folder / "memrunbook.prom").read_text()
    here("metrics", "--textfile", str(folder / "memrunbook.txt")).refused(2, "does not end in .prom", hint=".prom")
    here("metrics", "--textfile", str(tmp_path / "none" / "x.prom")).refused(2, "cannot be written", hint="folder")


@pytest.mark.usefixtures("machine")
def test_what_hosts_and_units_are_called_is_escaped_and_promtool_accepts_all_of_it(tmp_path: Path, state: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.yaml").write_text("notify: [{name: hook, way: webhook, url: 'http://127.0.0.1:9/'}]\n")
    path = book(tmp_path, look("look", "true"), name="hostile")
    assert here("run", path, "--host", "local", "--yes").code == 0
    [journal] = state.glob("runs/*/local.jsonl")
    name = 'a"b\\c\nd\x1b[31m{}#.service'
    leak = {"kind": "unit", "name": name, "seconds_left": 7200.5}
    kills = [{"unit": name, "victim": "java"}] * 2
    later = "2126-01-01T00:00:00.000Z"
    readings = {"units": {"leaking": [leak]}, "oom": {"events": kills}, "host": {"switched_off": ""}}
    line = {"type": "answered", "time": later, "answer": {"type": "Snapshot", "readings": readings}}
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
    told = here("metrics", "--config-dir", str(config))
    assert told.code == 0
    escaped = r"a\"b\\c\\nd\\x1b[31m{}#.service"
    assert f'memrunbook_forecast_seconds{{host="local",kind="unit",name="{escaped}"}} 7200.5\n' in told.out
    assert f'memrunbook_oom_kills{{host="local",unit="{escaped}"}} 2\n' in told.out
    found = figures(told.out)
    assert [found[f'memrunbook_notifications{{receiver="hook",state="{one}"}}'] for one in ("waiting", "given-up")] == [
        0,
        0,
    ]
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    done = subprocess.run(["promtool", "check", "metrics"], check=False, input=told.out, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
