"""Schedules as people meet them: list, preview, run --once, what waits, and the scheduler as a process."""

from __future__ import annotations

import datetime as dt
import json
import os
import pwd
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import WORDS, environment, here, terminal

from memrunbook.app.connectors import Connectors
from memrunbook.cli.scheduling import Reaching
from memrunbook.cli.targets import Targets
from memrunbook.cli.unit_notes import unit_notes
from memrunbook.core.errors import UsageError
from memrunbook.core.schedule import Moment, Schedule
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.state.store import firings, sightings
from memrunbook.state.store.changes import Store

pytestmark = pytest.mark.usefixtures("machine")


def schedules(folder: Path, *entries: str) -> str:
    conf = folder / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "schedules.yaml").write_text("schedules:\n" + "".join(f"  - {one}\n" for one in entries), "utf-8")
    return f"--config-dir={conf}"


def entry(runbook: str, more: str = "", name: str = "often") -> str:
    return f"{{name: {name}, every: 5s, jitter: 0s, catch_up: last, runbook: {runbook}, hosts: local{more}}}"


def fired(state: Path, where: str, name: str = "often", code: int = 0) -> dict[str, object]:
    """What became of a firing that was due a while ago; 2 is the `code` where a schedule is broken."""
    state.mkdir(exist_ok=True, mode=0o700)
    time.sleep(5 - time.time() % 5)  # the last one that was due may have been decided
    store = Store.open(state)
    firings.decide_until(store, [name], time.time() - 20)
    store.close()
    done = here("schedule", "run", "--once", where)
    assert done.code == code, done.said
    document = json.loads(here("schedule", "firings", name, "--json", where).out)
    return {**document["firings"][0], "said": done.err}


def changing(folder: Path, risk: str) -> str:
    return book(folder, act("add", "sh", "-c", f"echo once >> {folder / 'done'}", risk=risk))


def test_what_only_plans_keeps_the_plan_and_what_it_would_have_done(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(changing(tmp_path, "low")))
    one = fired(state, where)
    assert one["state"] == "waits", one
    assert not (tmp_path / "done").exists()
    assert "NOTICE needs-approval: schedule often: local: a plan waits" in str(one["said"])
    store = Store.open(state)
    (shadow,) = sightings.shadows(store, "often")
    store.close()
    assert (shadow.host, shadow.action) == ("local", "run_command")
    again = fired(state, where)
    assert again["state"] == "waits"
    (waits,) = json.loads(here("pending", "--json").out)["plans"]
    assert waits["creator"] == "schedule:often"
    assert waits["until"] - waits["at"] == 86_400.0
    shown = here("pending").out
    assert f"runbook apply {waits['path']}" in shown
    assert f"runbook apply {waits['path']}" in str(one["said"])  # what was told of the first firing still holds
    gone = f"{waits['path']}.json"
    here("apply", gone).refused(2, "a newer firing of its schedule, or alert, replaced it", "runbook pending")
    applied = here("apply", str(waits["path"]))
    assert (tmp_path / "done").read_text() == "once\n", applied.said
    assert "No plan waits" in here("pending").out


def test_a_run_does_what_it_may_and_the_rest_waits_for_a_person(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(changing(tmp_path, "low"), ", mode: run"))
    assert fired(state, where)["state"] in ("done", "failed")
    assert (tmp_path / "done").read_text() == "once\n"
    document = json.loads(here("runs", "--json").out)
    assert document["runs"][0]["invoked"]["actor"]["user"] == "schedule:often"
    other = tmp_path / "other"
    other.mkdir()
    where = schedules(tmp_path, entry(changing(other, "medium"), ", mode: run", "more"))
    one = fired(state, where, "more")
    assert one["state"] == "waits", one
    assert not (other / "done").exists()
    assert "goes up to risk low, and this is medium" in str(one["said"])
    fired(state, where, "more")  # its plan replaces that of the firing before
    (waits,) = json.loads(here("pending", "--json").out)["plans"]
    (step,) = waits["steps"]
    assert {name: step[name] for name in ("name", "action", "risk")} == {
        "name": "Act with add", "action": "run_command", "risk": "medium",
    }  # fmt: skip
    assert step["target"] in step["summary"]
    assert waits["digest"].startswith(waits["id"])
    here("pending", "--decline", f"{waits['digest']}0").refused(2, "no plan that waits")
    said = json.loads(here("pending", "--decline", waits["digest"], "--reason", "not now", "--json").out)
    assert [one["id"] for one in said["plans"]] == [waits["id"]]
    assert "No plan waits" in here("pending").out
    here("apply", str(waits["path"])).refused(5, "a person declined this plan")
    here("pending", "--decline", waits["id"]).refused(2, "no plan that waits")
    assert not (other / "done").exists()


def test_what_is_allowed_by_its_name_is_done_beyond_the_risk(tmp_path: Path, state: Path) -> None:
    steps = act("add", "sh", "-c", f"echo once >> {tmp_path / 'done'}", risk="medium")
    planned = json.loads(here("plan", book(tmp_path, steps), "--host", "local", "--json").out)
    (step,) = planned["hosts"][0]["steps"]
    target = step["target"]
    where = schedules(
        tmp_path, entry(book(tmp_path, steps), f", mode: run, allow: [{json.dumps(f'run_command:{target}')}]")
    )
    fired(state, where)
    assert (tmp_path / "done").read_text() == "once\n"


def test_while_changes_are_switched_off_a_schedule_makes_none(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(changing(tmp_path, "low"), ", mode: run"))
    assert here("off").code == 0
    assert fired(state, where)["state"] in ("refused", "waits")
    assert not (tmp_path / "done").exists()


def test_what_a_schedule_names_and_is_not_there_is_said(tmp_path: Path, state: Path) -> None:
    where = schedules(
        tmp_path, entry("memory-shortag"), entry("oom-event", name="odd").replace("every: 5s", "cron: '9'")
    )
    path = tmp_path / "conf" / "schedules.yaml"
    wrong = here("validate", str(path))
    wrong.refused(2, "did you mean 'memory-shortage'?", "is no cron line: it has 1 field")
    assert here("validate", where).code == 2, "with every other file of the house"
    one = fired(state, where, code=2)
    line = f"{path}:2:67"
    assert (one["state"], one["why"]) == ("blocked", f"{line}: no runbook is called 'memory-shortag'")
    assert str(one["said"]).count(f"schedule often is not used: {line}") == 1, "at the start, and not again as it fires"
    listed = here("schedule", "list", where)
    assert listed.code == 2
    assert "often  broken" in listed.out
    here("schedule", "preview", "often", where).refused(2, "often cannot be used: no runbook is called")
    assert "odd  broken" in listed.out
    coming = here("schedule", "preview", where)
    assert coming.out == "No schedule fires.\n"
    assert "note: often is broken, and does not fire" in coming.err


def test_a_group_that_is_not_there_stops_only_its_schedule(tmp_path: Path, state: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nlocalhost\n", "utf-8")
    listed = f", inventory: {tmp_path / 'hosts.ini'}"
    lost = entry("oom-event", listed, "lost").replace("hosts: local", "hosts: 'wbe*'")
    where = schedules(tmp_path, lost, entry(book(tmp_path, look("one", "uptime")), ", mode: run"))
    state.mkdir(mode=0o700)
    store = Store.open(state)
    firings.decide_until(store, ["lost", "often"], time.time() - 20)
    store.close()
    here("schedule", "run", "--once", where)
    found = json.loads(here("schedule", "firings", "--json", where).out)["firings"]
    assert {one["schedule"]: one["state"] for one in found if one["state"] != "missed"} == {
        "lost": "blocked", "often": "done",
    }  # fmt: skip


def test_preview_marks_the_days_on_which_clocks_change(tmp_path: Path) -> None:
    night = "{name: night, cron: '30 2 * * *', timezone: Europe/Berlin, jitter: 0s, runbook: oom-event, hosts: local}"
    where = schedules(tmp_path, night)
    spring = here("schedule", "preview", "night", "--from", "2026-03-28T00:00Z", "--count", "3", where)
    assert "Sun 2026-03-29 03:00:00+0200  2026-03-29 01:00:00 UTC" in spring.out
    assert "clocks are put forward" in spring.out
    autumn = json.loads(here("schedule", "preview", "--from", "2026-10-25", "--count", "1", "--json", where).out)
    assert autumn["firings"][0]["oddity"] == "first"
    here("schedule", "preview", "nigth", where).refused(2, "no schedule is called", hint="did you mean night?")
    here("schedule", "preview", "--from", "soon", where).refused(2, "is no time")
    assert here("schedule", "preview", f"--config-dir={tmp_path}").out.startswith("There is no schedules.yaml")


def test_one_that_is_paused_says_so_and_goes_on_when_it_is_resumed(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(book(tmp_path, look("one", "uptime")), ", mode: run"))
    assert here("schedule", "pause", "often", "--reason", "a move", where).code == 0
    assert "a move" in here("schedule", "list", where).out
    assert fired(state, where)["state"] == "paused"
    resumed = here("schedule", "resume", "often", where)
    assert resumed.code == 0
    *_, command = resumed.out.splitlines()
    assert here(*command.split()[1:]).out.startswith("often "), "it names the folder that was named"
    assert fired(state, where)["state"] == "done"
    here("schedule", "pause", "oftn", where).refused(2, hint="did you mean often?")
    here("schedule", "firings", "oftn", where).refused(2, hint="did you mean often?")


def test_a_scheduler_that_is_silent_is_told_of(tmp_path: Path, state: Path) -> None:
    assert here("schedule", "check").code == 0, "there is nothing to be scheduled"
    where = schedules(tmp_path, entry(book(tmp_path, look("one", "uptime"))))
    silent = here("schedule", "check", where)
    assert silent.code == 8
    assert "NOTICE dead-man" in silent.err
    again = f"runbook schedule run --state-dir {state} --config-dir {tmp_path / 'conf'}"
    assert f"systemctl status memrunbook, or: {again}\n" in silent.err, "also where no config.yaml lies there"
    assert "scheduler" in here("doctor", where).out
    fired(state, where)
    assert here("schedule", "check", where).code == 0
    assert here("schedule", "check", "--older-than", "1ms", where).code == 8
    store = Store.open(state)
    firings.scheduling(store, "elsewhere", time.time() + 365 * 86_400)
    assert here("schedule", "check", "--older-than", "1ms", where).code == 8, "a beat of a year ahead is none"
    for one in firings.schedulers(store):
        firings.scheduling(store, one.owner, time.time() + 365 * 86_400)
    store.close()
    assert "at a time that is still to come" in here("schedule", "check", where).out
    (state / "store.sqlite").write_bytes(b"no database" * 1000)
    unknown = here("schedule", "check", where)
    assert unknown.code == 6
    assert "NOTICE dead-man: whether anything is scheduled cannot be told: " in unknown.err, "cron reads no exit code"
    assert "to go on: runbook doctor " in unknown.err


@pytest.mark.parametrize("left", ["", "schedules: []\n", "no: schedules\n", "schedules: [\n", None])
def test_schedules_that_are_gone_are_told_of_like_a_scheduler_that_is(
    tmp_path: Path, state: Path, left: str | None
) -> None:
    where = schedules(tmp_path, entry(book(tmp_path, look("one", "uptime"))))
    fired(state, where)
    file = tmp_path / "conf" / "schedules.yaml"
    if left is None:
        file.unlink()
    else:
        file.write_text(left)
    gone = here("schedule", "check", where)
    assert gone.code == 8, gone.said
    assert ("schedules.yaml is gone, by which often fired" if left is None else "no schedule can be read") in gone.out
    assert "NOTICE dead-man: nothing is scheduled any more: " in gone.err
    assert "to go on: runbook schedule list " in gone.err
    assert "Traceback" not in gone.said
    assert here("doctor", where).code != 0


def test_who_only_watches_asks_whether_a_scheduler_elsewhere_goes(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(book(tmp_path, look("one", "uptime"))))
    fired(state, where)
    (tmp_path / "conf" / "schedules.yaml").unlink()
    with closing(Store.open(state)) as store:
        firings.scheduling(store, "elsewhere", time.time() + 1.0)
    watched = here("schedule", "check", where)
    assert watched.code == 0, watched.said
    assert "a scheduler on elsewhere was heard of" in watched.out


def test_a_schedule_that_somebody_took_out_is_a_note(tmp_path: Path, state: Path) -> None:
    one = book(tmp_path, look("one", "uptime"))
    fired(state, schedules(tmp_path, entry(one)))
    checked = here("schedule", "check", schedules(tmp_path, entry(one, name="other")))
    assert checked.code == 0, checked.said
    assert "note: no more in schedules.yaml, and not to fire again: often" in checked.err
    assert "NOTICE" not in checked.err


def test_the_units_are_shown_before_they_are_written(tmp_path: Path) -> None:
    shown = here("schedule", "install", "--user", "ops", schedules(tmp_path, entry("oom-event")))
    assert "User=ops" in shown.out
    assert "NoNewPrivileges=yes" in shown.out
    assert "Nothing was written" in shown.out
    timer = here("schedule", "install", "--timer")
    assert "--once" in timer.out
    assert "OnCalendar=" in timer.out


def test_what_cannot_work_is_told_with_the_units(tmp_path: Path) -> None:
    where = schedules(tmp_path, entry("oom-event"))
    shown = here("schedule", "install", "--user", "nobody-of-this-name", where)
    assert shown.code == 0
    assert "there is no user nobody-of-this-name here" in shown.err
    assert f"# It reads {tmp_path / 'conf' / 'schedules.yaml'}." in shown.out
    assert "sudo -u nobody-of-this-name runbook pending --state-dir /var/lib/memrunbook" in shown.out


def test_a_file_that_the_unit_does_not_read_is_told(tmp_path: Path) -> None:
    written = tmp_path / "schedules.yaml"
    written.touch()
    user = pwd.getpwuid(os.getuid()).pw_name
    ((said, hint),) = unit_notes("/usr/bin/runbook", user, written, carried=False)
    assert said.startswith(f"{written} is not read by the unit, which looks in ")
    assert hint == f"--config-dir {tmp_path}"
    assert list(unit_notes("/usr/bin/runbook", user, Path("/etc/memrunbook/x"), carried=True)) == []
    ((hidden, _),) = unit_notes("/tmp/venv/bin/runbook", user, None, carried=False)
    assert hidden == "/tmp/venv/bin/runbook lies where PrivateTmp=yes hides it from the unit"


def test_the_installed_scheduler_may_write_its_figures() -> None:
    shown = here("schedule", "install", "--user", "ops", "--textfile", "/var/lib/prometheus/node-exporter/mrb.prom")
    assert " --textfile /var/lib/prometheus/node-exporter/mrb.prom\n" in shown.out
    assert 'ReadWritePaths="-/var/lib/prometheus/node-exporter"\n' in shown.out
    own = here("schedule", "install", "--textfile", "/var/tmp/mrb.prom")
    own.refused(2, "a /tmp of its own", hint="node_exporter")


def daemon(tmp_path: Path, where: str, **more: str) -> subprocess.Popen[str]:
    log = (tmp_path / "log").open("a")
    return subprocess.Popen(
        [*WORDS, "schedule", "run", where], stderr=log, stdout=log, text=True, env=environment(**more)
    )


def wait_for(log: Path, words: str, seconds: float = 60.0) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        text = log.read_text()
        if words in text:
            return text
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class Heard:
    """What a service manager is told, read as it comes."""

    def __init__(self, manager: socket.socket) -> None:
        self._manager, self._words = manager, list[str]()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            while True:
                self._words.append(self._manager.recv(4096).decode())

    def word(self, begins: str, seconds: float = 60.0) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(one.startswith(begins) for one in self._words):
                return True
            time.sleep(0.05)
        return False


@pytest.mark.slow
def test_the_service_says_how_it_stands_reloads_and_ends_cleanly(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(book(tmp_path, look("one", "uptime")), ", mode: run"))
    path, log = tmp_path / "notify", tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)
        process = daemon(tmp_path, where, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="3000000")
        try:
            said = Heard(manager)
            assert said.word("READY=1\nSTATUS=1 schedule")
            wait_for(log, "nobody is told: config.yaml names no receiver (notify:)")
            wait_for(log, ": done (run ")
            (tmp_path / "conf" / "schedules.yaml").write_text("schedules: [\n")
            process.send_signal(signal.SIGHUP)
            wait_for(log, "not reloaded, the schedules from before go on")
            schedules(tmp_path, entry("oom-event", name="new"))
            process.send_signal(signal.SIGHUP)
            wait_for(log, "reloaded: 1 schedule")
            process.terminate()
            assert process.wait(60) == 0
            for word in ("WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=", "STOPPING=1"):
                assert said.word(word)
        finally:
            process.kill()
    assert "was stopped" in here("schedule", "check", where).out


@pytest.mark.slow
def test_one_that_is_killed_in_mid_firing_leaves_it_to_nobody(tmp_path: Path, state: Path) -> None:
    slow = look("one", "sh", "-c", f"echo once >> {tmp_path / 'done'}; sleep 5", timeout="30s")
    where = schedules(tmp_path, entry(book(tmp_path, slow), ", mode: run"))
    process = daemon(tmp_path, where)
    try:
        wait_for(tmp_path / "log", ": begins")
        until = time.monotonic() + 60
        while not (tmp_path / "done").exists() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert (tmp_path / "done").read_text() == "once\n"
    store = Store.open(state)
    (cut,) = [one for one in firings.firings(store) if one.state == "running"]
    moment = Moment(cut.schedule, cut.nominal, cut.nominal)
    assert firings.claim(store, moment, "other/1", cut.beat + 1) is None
    assert [one.id for one in firings.give_up(store, cut.beat + 91)] == [cut.id]
    assert firings.claim(store, moment, "other/1", cut.beat + 92) is None
    store.close()
    assert (tmp_path / "done").read_text() == "once\n"


def test_at_a_terminal_it_is_said_that_nothing_is_due(tmp_path: Path) -> None:
    where = schedules(tmp_path, "{name: yearly, cron: '0 0 1 1 *', jitter: 0s, runbook: memory-shortage, hosts: local}")
    assert here("schedule", "run", "--once", where).said == ""
    with terminal("schedule", "run", "--once", where) as screen:
        screen.expect("nothing is due; next: yearly at ")
        screen.expect("-01-01 00:00:00+0000")
        assert screen.wait() == 0


def test_an_interval_is_shown_as_people_write_it(tmp_path: Path) -> None:
    written = {"1m": "1 min", "1h": "1 h", "90m": "90 min", "36h": "36 h", "1d": "1 d", "45s": "45 s"}
    for every, shown in written.items():
        where = schedules(tmp_path, f"{{name: a, every: {every}, runbook: memory-shortage, hosts: local}}")
        assert f"a  active  every {shown}\n" in here("schedule", "list", where).out


def test_a_second_pause_keeps_the_reason_of_the_first(tmp_path: Path) -> None:
    where = schedules(tmp_path, "{name: a, every: 1h, runbook: memory-shortage, hosts: local}")
    for more, reason in ((["--reason", "the disk"], "the disk"), ([], "the disk"), (["--reason", "new"], "new")):
        here("schedule", "pause", "a", where, *more)
        assert f": {reason}\n" in here("schedule", "list", where).out


def test_a_word_of_hosts_is_told_where_it_was_written() -> None:
    job = ScheduledRun(
        schedule=Schedule(name="a", zone=dt.UTC, every=60.0), zone="UTC", where="s:1", runbook="r", hosts=("!webb",),
        places={"hosts": "schedules.yaml:3:12"},
    )  # fmt: skip
    typed = Targets(
        host=(), identity=(), known_hosts=(), ssh_config=None, accept_new_host_keys=False, sudo="auto",
        transport="ssh", patience=None, forks=1, no_input=True,
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"^schedules\.yaml:3:12: '!webb' is no host$"):
        Reaching(typed, Connectors())(job)


@pytest.mark.usefixtures("state")
def test_once_ends_with_2_where_a_schedule_is_broken(tmp_path: Path) -> None:
    fine, gone = entry("memory-shortage"), entry("no-such-runbook", name="gone")
    where = schedules(tmp_path, fine, gone)
    ran = here("schedule", "run", "--once", where)
    assert ran.code == 2, ran.said
    assert "gone" in ran.said
    assert here("schedule", "run", "--once", schedules(tmp_path, fine)).code == 0
