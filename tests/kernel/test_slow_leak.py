"""Two services leak at one speed towards their own limits: the forecast of one is held against when the kernel kills
it; the other one is restarted by a schedule, in its window, before that.

A forecast needs half an hour of readings, so this takes three quarters of an hour: only FULL=1 selects it.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.command import RUNBOOK
from tests.kernel.lab.errors import Unreachable
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until
from tests.kernel.matrix import FIGURE
from tests.receiving import Receiving, receiving

pytestmark = pytest.mark.kernel
LOG = logging.getLogger(__name__)
ALONE, CARED_FOR = "alone.service", "cared-for.service"
BEGIN_MIB, LIMIT_MIB, KIB_A_SECOND = 16, 144, 48
RUNS_OUT = (LIMIT_MIB - BEGIN_MIB) * 1024 / KIB_A_SECOND
OPENS = 32 * 60
LOOK_EVERY = 60.0
CLOSE_ENOUGH = 0.25
CONFIG = """
defaults: {{inventory: {folder}/hosts.ini, identity: {identity}, known_hosts: {known_hosts}, patience: 2m}}
freeze:
  - {{name: day, zone: UTC, from: "{begins}", until: "{opens}", why: services are restarted after that}}
notify:
  - {{name: hook, way: webhook, url: "{url}"}}
"""
SCHEDULES = f"""
schedules:
  - name: window
    every: 1m
    jitter: 0s
    runbook: memory-leak
    hosts: guest
    mode: run
    allow: ["restart_unit:{CARED_FOR}"]
    not_during: day
"""
SERVICES = f"""
services:
  - {{unit: {ALONE}, restart: "no"}}
"""


@dataclass(frozen=True)
class Foretold:
    """What was said of a service, and when: seconds since 1970, seconds until its limit is reached."""

    at: float
    left: float
    earliest: float
    latest: float

    def beside(self, ran_out: float) -> float:
        """How far it was from what came, as a share of the time that was left."""
        return (self.left - (ran_out - self.at)) / (ran_out - self.at)


@dataclass(frozen=True)
class ControlNode:
    """The folder with settings and state of whoever looks after the guest."""

    folder: Path

    def command(self, *words: str) -> list[str]:
        settings = [] if words[0] == "report" else ["--config-dir", str(self.folder)]
        return [str(RUNBOOK), *words, *settings]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "RUNBOOK_STATE_DIR": str(self.folder / "state")}

    def document(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            self.command(*words, "--json"),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def look(self) -> dict[str, Any]:
        """A reading that leaves its figures in the history."""
        return self.document("diagnose", "--host", "guest", "--quick")

    def leaking(self) -> Mapping[str, Foretold]:
        """Who leaks by all that is known, by name."""
        told = self.document("facts", "units.leaking", "--host", "guest", "--samples", "1")
        now, (metric,) = time.time(), told["hosts"][0]["metrics"]
        return {
            one["name"]: Foretold(
                now,
                one["seconds_to_limit"],
                one["earliest_seconds_to_limit"],
                one["latest_seconds_to_limit"] or math.inf,
            )
            for one in metric["value"] or ()
        }

    def firings(self) -> list[dict[str, Any]]:
        """What became of the schedule, the oldest first."""
        found = self.document("schedule", "firings", "window", "--count", "1000")["firings"]
        return sorted(found, key=lambda one: one["nominal"])

    @contextmanager
    def scheduling(self) -> Iterator[None]:
        """The scheduler runs until the end of the block, which it must leave cleanly."""
        with (self.folder / "scheduler.log").open("w") as said:
            scheduler = subprocess.Popen(
                self.command("schedule", "run"),
                env=self.environment(),
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
            )
        try:
            yield
            assert scheduler.poll() is None, (self.folder / "scheduler.log").read_text()
            scheduler.send_signal(signal.SIGTERM)
            assert scheduler.wait(600) == 0
        finally:
            scheduler.kill()
            scheduler.wait()


def set_up(guest: Guest, folder: Path, hook: Receiving, opens: float) -> ControlNode:
    address = guest.address
    (folder / "hosts.ini").write_text(f"guest ansible_host=127.0.0.1 ansible_port={address.port} ansible_user=root\n")
    day = "%Y-%m-%d %H:%M"
    settings = CONFIG.format(
        folder=folder, identity=address.identity, known_hosts=address.known_hosts, url=hook.url,
        begins=dt.datetime.fromtimestamp(time.time() - 3600, dt.UTC).strftime(day),
        opens=dt.datetime.fromtimestamp(opens, dt.UTC).strftime(day),
    )  # fmt: skip
    for name, text in (("config.yaml", settings), ("schedules.yaml", SCHEDULES), ("services.yaml", SERVICES)):
        (folder / name).write_text(text)
    return ControlNode(folder)


def leak(guest: Guest, unit: str) -> None:
    limits = (f"MemoryMax={LIMIT_MIB}M", "MemorySwapMax=0", "Restart=no")
    guest.start_service(unit.removesuffix(".service"), f"/usr/local/bin/leak -f {BEGIN_MIB} -r {KIB_A_SECOND}", *limits)


def shown(guest: Guest, unit: str, name: str) -> str:
    try:
        return guest.check(f"systemctl show --property={name} --value {unit}").strip()
    except Unreachable:
        return ""


@pytest.mark.timeout(4500)
def test_a_leak_is_foretold_and_a_schedule_restarts_the_service_before_it_runs_out(
    guest_in: Callable[[str], Guest], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    def say(line: str) -> None:
        record_property(FIGURE, line)
        LOG.info(line)

    guest = guest_in("idle_healthy")
    guest.install("leak")
    for unit in (ALONE, CARED_FOR):
        leak(guest, unit)
    began = time.time()
    opens = math.ceil((began + OPENS) / 60) * 60.0
    first_life = shown(guest, CARED_FOR, "InvocationID")
    with receiving() as hook:
        node = set_up(guest, tmp_path, hook, opens)
        with node.scheduling():
            told, restarted, ran_out = watched(guest, node, began, say)
            wait_until(lambda: bool(hook.posted), seconds=600, what="the notification of the run", pause=2)
        messages = [json.loads(one.body) for one in hook.posted]
    first = told[0]
    say(
        f"slow leak: {KIB_A_SECOND} KiB/s from {BEGIN_MIB} MiB towards {LIMIT_MIB} MiB; {ALONE} foretold at "
        f"{first.at - began:.0f} s: {first.left:.0f} s left ({first.earliest:.0f} to {first.latest:.0f}); killed "
        f"{ran_out - first.at:.0f} s later: {first.beside(ran_out):+.1%}; {CARED_FOR} was restarted at "
        f"{restarted - began:.0f} s, {ran_out - restarted:.0f} s before that"
    )
    assert abs(first.beside(ran_out)) <= CLOSE_ENOUGH, told
    assert opens <= restarted < ran_out
    assert shown(guest, CARED_FOR, "InvocationID") != first_life
    assert shown(guest, CARED_FOR, "ActiveState") == "active"
    assert f"task_memcg=/system.slice/{CARED_FOR}" not in guest.check("dmesg")

    firings = node.firings()
    say(f"slow leak: firings {[(one['id'], one['state']) for one in firings]}")
    held = [one["state"] for one in firings if one["nominal"] < opens - 60]
    assert set(held) == {"frozen"}, held
    acted = next(one for one in firings if one["run"])
    assert opens <= acted["nominal"] < restarted
    report = node.document("report", acted["run"])
    items = {step["item"] for step in report["hosts"][0]["steps"] if step["state"] == "done"}
    assert CARED_FOR in items
    assert ALONE not in items, "its owner said no"
    say(f"slow leak: told {[(one['occasion'], one['verdict'], one['run']) for one in messages]}")
    assert acted["run"] in {one["run"] for one in messages}


def watched(
    guest: Guest, node: ControlNode, began: float, say: Callable[[str], None]
) -> tuple[list[Foretold], float, float]:
    """What was foretold of the service that is left alone, when the other was restarted, and when the first ran out."""
    first_life, told, restarted = shown(guest, CARED_FOR, "InvocationID"), list[Foretold](), 0.0
    due = began
    while shown(guest, ALONE, "ActiveState") in ("active", ""):
        now = time.time()
        assert now < began + 1.5 * RUNS_OUT, "it does not run out"
        if not restarted and shown(guest, CARED_FOR, "InvocationID") not in (first_life, ""):
            restarted = now
            say(f"slow leak: {CARED_FOR} restarted at {now - began:.0f} s")
        if now >= due:
            due = now + LOOK_EVERY
            node.look()
            if one := node.leaking().get(ALONE):
                told.append(one)
                say(
                    f"slow leak: at {one.at - began:.0f} s: {one.left:.0f} s left ({one.earliest:.0f}-{one.latest:.0f})"
                )
        time.sleep(2)
    ran_out = time.time()
    assert shown(guest, ALONE, "Result") == "oom-kill"
    assert f"task_memcg=/system.slice/{ALONE}" in guest.check("dmesg")
    assert told, "no leak was told of"
    assert restarted, "the schedule did not restart it"
    return told, restarted, ran_out
