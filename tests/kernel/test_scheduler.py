"""The scheduler as systemd runs it on a guest: installed, killed in the middle of a firing, reloaded, by a timer.

The guest is a control node that reaches itself over ssh. About six minutes of schedules, with FULL=1 ten and more.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from tests.kernel.lab.configuration import CONTROL
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.product import install_product
from tests.kernel.lab.waiting import wait_until
from tests.kernel.matrix import FIGURE

pytestmark = pytest.mark.kernel
FULL = os.environ.get("FULL") == "1"
SECONDS, BY_TIMER = (600.0, 130.0) if FULL else (0.0, 70.0)
CONFIG, RUNBOOKS, SSH = "/etc/memrunbook", "/etc/memrunbook/runbooks", "/home/ops/.ssh"
STATE, HOST_KEY = "/var/lib/memrunbook", "/etc/ssh/ssh_host_ed25519_key"
BY_OPS = "runuser -u ops -- env HOME=/home/ops runbook"
SERVICE, TIMER = "memrunbook.service", "memrunbook.timer"
DONE = "/var/tmp/done"
"""Where each change of a firing leaves when it began and when it ended."""
STOPPED = "the scheduler was stopped"
PATIENCE = 600.0
"""Emulated processors that share a machine with others are slow: a firing of ten seconds takes two minutes then."""
EVERY = {"acts": 60.0, "added": 30.0}
BOOK = """
apiVersion: memrunbook/v1
name: {name}
title: A test
sample: {{count: 1, every: 1s}}
checks:
  - {{id: memory, name: The host has memory, when: memory.total_bytes > 0, severity: warning}}
incident: {incident}
resolved: {{that: memory.total_bytes > 0}}
steps:
{steps}
"""
STEP = """
  - id: act
    name: Leave when it began and when it ended
    action: run_command
    with: {{command: [sh, -c, "{script}"], risk: low, timeout: 60s}}
    verify: {{that: memory.total_bytes > 0, within: 3s}}
"""
LOOK = """
  - id: look
    name: Look how long the host is up
    action: run_check_command
    with: {command: [uptime]}
"""
SCRIPT = f"echo begin $(date +%s.%N) >>{DONE}; sleep 6; echo end $(date +%s.%N) >>{DONE}"
ACTS = '  - {name: acts, cron: "* * * * *", jitter: 0s, runbook: act, hosts: node, inventory: hosts.ini, mode: run}\n'
ADDED = "  - {name: added, every: 30s, jitter: 0s, runbook: look, hosts: node, inventory: hosts.ini}\n"


@dataclass(frozen=True)
class ControlNode:
    """A guest with the product, which ops runs there."""

    guest: Guest

    def runbook(self, *words: str) -> str:
        """What a command printed that ops typed."""
        return self.guest.check(f"{BY_OPS} {' '.join(words)} --state-dir {STATE}", seconds=PATIENCE)

    def runs(self) -> list[str]:
        """The ids of all runs; the command says by its status that one of them is open."""
        listed = self.guest.run(f"{BY_OPS} runs --json --state-dir {STATE}", seconds=PATIENCE)
        return [one["run_id"] for one in json.loads(listed.stdout)["runs"]]

    def resume(self, run: str) -> None:
        """Ops looks at a run that was cut off, and has it end."""
        ended = self.guest.run(f"{BY_OPS} resume {run} --no-input --state-dir {STATE}", seconds=PATIENCE)
        assert "Traceback" not in ended.stderr
        assert self.runbook("report", run), ended

    def schedules(self, *entries: str) -> None:
        self.guest.write(f"{CONFIG}/schedules.yaml", "schedules:\n" + "".join(entries))

    def firings(self, name: str = "") -> list[dict[str, Any]]:
        """What became of firings, the earliest nominal time first."""
        words = ("schedule", "firings", *([name] if name else []), "--count", "1000", "--json")
        found: list[dict[str, Any]] = json.loads(self.runbook(*words))["firings"]
        return sorted(found, key=lambda one: (one["schedule"], one["nominal"]))

    def said(self, name: str, state: str) -> int:
        """How many firings of a schedule ended so, by the service's log: to ask the product costs the guest more."""
        return len(re.findall(rf"]: {name}@\S+: {state}\b", self.log()))

    def log(self) -> str:
        return self.guest.check(f"journalctl --no-pager --unit={SERVICE}")

    def shown(self, unit: str, name: str) -> str:
        return self.guest.check(f"systemctl show --property={name} --value {unit}").strip()

    def times(self, word: str) -> list[float]:
        """When changes began, or ended, in seconds since 1970."""
        lines = self.guest.run(f"cat {DONE}").stdout.splitlines()
        return [float(line.split()[1]) for line in lines if line.split()[0] == word]

    def wait_for_a_change(self) -> None:
        """Returns while the next change is under way."""
        before = len(self.times("begin"))
        waited(lambda: len(self.times("begin")) > before, "a firing to begin")

    def install(self, *words: str) -> None:
        """Writes the units, as root."""
        typed = " ".join(("runbook", "schedule", "install", "--user", "ops", *words, "--write"))
        self.guest.check(f"{typed} && systemctl daemon-reload", seconds=PATIENCE)


def waited(condition: Callable[[], bool], what: str) -> None:
    """Looks each second: oftener would keep the guest from its work."""
    wait_until(condition, seconds=PATIENCE, what=what, pause=1)


def set_up(guest: Guest) -> ControlNode:
    """The product, ops with a key to the guest itself, runbooks and schedules."""
    install_product(guest)
    guest.write(f"{SSH}/id_ed25519", guest.address.identity.read_text(), mode="0600")
    guest.check(f"echo node $(ssh-keygen -yf {HOST_KEY}) >{SSH}/known_hosts")
    guest.check(f"chown -R ops:ops {SSH} && mkdir -p {RUNBOOKS} && echo 127.0.0.1 node >>/etc/hosts")
    guest.write(f"{CONFIG}/hosts.ini", "node ansible_user=ops\n")
    guest.write(
        f"{RUNBOOKS}/act.yaml", BOOK.format(name="act", incident="checks.memory", steps=STEP.format(script=SCRIPT))
    )
    guest.write(f"{RUNBOOKS}/look.yaml", BOOK.format(name="look", incident="memory.total_bytes == 0", steps=LOOK))
    node = ControlNode(guest)
    node.schedules(ACTS)
    return node


def test_systemd_keeps_the_scheduler_and_each_firing_happens_once(
    guest_in: Callable[..., Guest], record_property: Callable[[str, object], None]
) -> None:
    node = set_up(guest_in("idle_healthy", CONTROL))
    node.install()
    node.guest.check(f"systemctl enable --now {SERVICE}", seconds=PATIENCE)
    began = time.time()
    assert node.shown(SERVICE, "StatusText").startswith("1 schedule")
    killed = killed_in_the_middle_of_a_firing(node)
    reloaded(node)
    looked_at(node)
    time.sleep(max(began + SECONDS - BY_TIMER - time.time(), 0))
    stopped_in_the_middle_of_a_firing(node)
    by_the_timer(node)
    assert time.time() - began >= SECONDS

    found = node.firings()
    for name, every in EVERY.items():
        mine = [one for one in found if one["schedule"] == name]
        each_time_once(mine, every)
        record_property(FIGURE, f"scheduler: {name}: {counted(mine)}, in {time.time() - began:.0f} s")
    acts = [one for one in found if one["schedule"] == "acts"]
    cut = [one for one in acts if one["state"] == "interrupted"]
    assert len([one for one in cut if one["at"] <= killed <= one["ended"]]) == 1, cut
    assert all(one["at"] <= killed or STOPPED in one["why"] for one in cut), "by the stop, where the guest was slow"
    assert not [one for one in found if one["state"] == "running"]
    once_each(acts, node)


def killed_in_the_middle_of_a_firing(node: ControlNode) -> float:
    """Kills the scheduler (SIGKILL) while a change is under way; systemd must bring it back. When it was killed."""
    waited(lambda: node.said("acts", "done") > 0, "a firing to be done")
    node.wait_for_a_change()
    before = node.shown(SERVICE, "MainPID")
    killed = time.time()
    node.guest.check(f"systemctl kill --signal=KILL --kill-whom=main {SERVICE}")
    waited(lambda: node.shown(SERVICE, "NRestarts") == "1", "systemd to bring it back")
    waited(lambda: node.shown(SERVICE, "ActiveState") == "active", "it to be ready again")
    assert node.shown(SERVICE, "MainPID") not in (before, "0")
    return killed


def looked_at(node: ControlNode) -> None:
    """The firing that was cut off is given up, and holds the schedule back until a person has looked at its run."""
    waited(lambda: node.said("acts", "interrupted") > 0, "the firing that was cut off to be given up")
    known = {one["run"] for one in node.firings("acts")}
    node.resume(min(run for run in node.runs() if run not in known))  # ids begin with the time
    done = node.said("acts", "done")
    waited(lambda: node.said("acts", "done") > done, "the schedule to go on")


def reloaded(node: ControlNode) -> None:
    """A schedule is added: SIGHUP makes the same process take it."""
    process = node.shown(SERVICE, "MainPID")
    node.schedules(ACTS, ADDED)
    node.guest.check(f"systemctl reload {SERVICE}")
    waited(lambda: node.said("added", "done") > 0, "the added schedule to fire")
    assert node.shown(SERVICE, "MainPID") == process
    assert node.shown(SERVICE, "StatusText").startswith("2 schedules")


def stopped_in_the_middle_of_a_firing(node: ControlNode) -> None:
    """What is under way ends first."""
    node.wait_for_a_change()
    node.guest.check(f"systemctl disable --now {SERVICE}", seconds=PATIENCE)
    assert (node.shown(SERVICE, "ActiveState"), node.shown(SERVICE, "Result")) == ("inactive", "success")
    assert len(node.times("end")) == len(node.times("begin"))


def by_the_timer(node: ControlNode) -> None:
    """The same by a timer that starts it each minute, for a while; what is under way at the end is waited for."""
    changes = len(node.times("begin"))
    node.install("--timer")
    node.guest.check(f"systemctl enable --now {TIMER}")
    time.sleep(BY_TIMER)
    waited(lambda: len(node.times("begin")) > changes, "a firing by the timer")
    node.guest.check(f"systemctl disable --now {TIMER}")
    waited(lambda: node.shown(SERVICE, "ActiveState") == "inactive", "the last look to end")
    assert node.shown(SERVICE, "Result") == "success"


def each_time_once(found: list[dict[str, Any]], every: float) -> None:
    """From the first nominal time to the last each stands there once; a record of several that were missed is all."""
    assert len({one["id"] for one in found}) == len(found)
    for one, following in pairwise(found):
        assert math.isclose(following["nominal"] - one["nominal"], following["count"] * every), (one, following)


def once_each(found: list[dict[str, Any]], node: ControlNode) -> None:
    """Each firing that was carried out made its change once, in its time; one that was cut off at most once.

    The one behind that looks how far it had come, and does not repeat what was done.
    """
    begun, known, cut = node.times("begin"), 0, False
    for one in (one for one in found if one["state"] not in ("overlapped", "missed")):
        within = len([at for at in begun if one["at"] <= at <= one["ended"]])
        known += within
        usual = {"done": (0, 1) if cut else (1,), "interrupted": (0, 1)}
        assert within in usual.get(one["state"], (0,)), (one, begun)
        cut = one["state"] == "interrupted"
    assert len(begun) == known, "each belongs to a firing"


def counted(found: list[dict[str, Any]]) -> str:
    """How many ended how."""
    states = [one["state"] for one in found]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
