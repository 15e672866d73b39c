from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import DENIED, WEB, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.restart_container import SCRIPT, RestartContainer
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot

RESTART = RestartContainer(container="web")
STARTED = WEB.started
USE = Use(RESTART)


def with_web(**changes: Any) -> Snapshot:
    return host({"containers.all": [msgspec.structs.replace(WEB, **changes)]})


@pytest.mark.parametrize("name", ["web", WEB.id, WEB.id[:12], f"docker:{WEB.id}"])
def test_a_container_is_restarted_by_its_name_or_id(name: str) -> None:
    made = change(RestartContainer(container=name), host())
    assert made.summary == "Restart container web"
    assert made.args == ("docker", WEB.id, STARTED, "30")
    assert made.command == "docker restart -t 30 web"
    assert made.identity == f"docker {WEB.id} started {STARTED} boot b001"
    assert (made.target, made.touches, made.risk, made.undo) == ("web", "web", Risk.MEDIUM, None)


def test_it_must_run_on_with_another_process() -> None:
    verify = change(RESTART, host()).verify
    assert verify is not None
    assert f'c.id == "{WEB.id}" && c.running && c.pid != 6576 && c.restarts == 0' in verify.that
    assert verify.hold == 60.0


def test_its_project_is_named_and_what_does_not_come_back() -> None:
    assert change(RESTART, with_web(project="shop")).summary == "Restart container web of the compose project shop"
    assert "does not start it again" not in change(RESTART, host()).costs
    assert "does not start it again" in change(RESTART, with_web(restart_policy="no")).costs


@pytest.mark.parametrize(
    ("name", "image", "touches"),
    [
        ("shop-db-1", "docker.io/library/postgres:16", "postgres"),
        ("shop-db-1", "postgres@sha256:00", "postgres"),
        ("postgres", "example.org:5000/own", "postgres"),
    ],
)
def test_a_database_is_high_and_never_chosen_by_a_rule(name: str, image: str, touches: str) -> None:
    made = change(RestartContainer(container=name), with_web(name=name, image=image))
    assert (made.risk, made.touches) == (Risk.HIGH, touches)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"orchestrator": "swarm"}, "is run by swarm"),
        ({"unit": "web.service"}, "is started by web.service"),
        ({"auto_remove": True}, "--rm"),
        ({"running": False}, "is not running"),
        ({"paused": True}, "is paused"),
        ({"id": "x"}, "cannot be told"),
        ({"started": '" || true'}, "cannot be told"),
        ({"runtime": "other"}, "cannot be told"),
        ({"name": "api"}, "is called web"),
        ({"id": "", "name": "api"}, "is called web"),
    ],
)
def test_containers_that_are_left_alone(changes: dict[str, object], word: str) -> None:
    assert word in blocked(RESTART, with_web(**changes))


def test_a_short_id_may_be_anybodys() -> None:
    assert "is called c0ffee" in blocked(RestartContainer(container="c0ffee"), host())
    assert "is called " in blocked(RestartContainer(container=""), host())


def test_a_name_that_two_have_says_nothing() -> None:
    other = msgspec.structs.replace(WEB, runtime="podman", id="ab" * 32)
    assert "2 containers are called web" in blocked(RESTART, host({"containers.all": [WEB, other]}))
    named = RestartContainer(container=f"podman:{other.id}")
    assert change(named, host({"containers.all": [WEB, other]})).args[0] == "podman"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"containers": DENIED}, "containers.all is unknown"),
        ({"host.kubernetes": True}, "Kubernetes"),
        ({"host.root": False}, "root"),
        ({"memory": DENIED}, "memory.available_bytes is unknown"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(RESTART, host(changes))


def test_a_hostile_name_is_only_a_name() -> None:
    name = "web\x1b[2J\n$(reboot)"
    made = change(RestartContainer(container=name), with_web(name=name))
    assert "\x1b" not in made.summary + made.target + made.command
    assert all("reboot" not in arg for arg in made.args)


RUNTIME = """\
#!/bin/sh
case $1 in
  container) [ -e "$HOST/inspected" ] || { echo "no such container" >&2; exit 125; }; cat "$HOST/inspected" ;;
  logs) echo "logs of $4" ;;
  *) printf '%s\\n' "${0##*/} $*" >>"$HOST/calls"; [ ! -e "$HOST/fails" ] || { echo "no" >&2; exit 1; } ;;
esac
"""


@pytest.fixture(params=["docker", "podman"])
def runtime(request: pytest.FixtureRequest, machine: Machine) -> str:
    """A stand-in that answers as docker 28 and podman 4.3 do."""
    name: str = request.param
    program: Path = machine.folder / "bin" / name
    program.write_text(RUNTIME)
    program.chmod(0o755)
    (machine.folder / "inspected").write_text(f'true "{STARTED}"\n')
    return name


def test_the_script_restarts_it(machine: Machine, runtime: str) -> None:
    assert machine.do(SCRIPT, runtime, WEB.id, STARTED, "30").status == 0
    assert machine.calls == [f"{runtime} restart -t 30 {WEB.id}"]


@pytest.mark.parametrize("now", ['true "2026-11-22T10:00:00Z"', f'false "{STARTED}"', ""])
def test_another_run_of_it_is_left_alone(machine: Machine, runtime: str, now: str) -> None:
    (machine.folder / "inspected").write_text(now)
    result = machine.do(SCRIPT, runtime, WEB.id, STARTED, "30")
    assert (result.status, "was started again meanwhile" in result.text) == (3, True)
    assert machine.calls == []


def test_one_that_is_gone_is_left(machine: Machine, runtime: str) -> None:
    (machine.folder / "inspected").unlink()
    result = machine.do(SCRIPT, runtime, WEB.id, STARTED, "30")
    assert (result.status, "no such container" in result.text) == (3, True)


def test_a_failure_shows_the_end_of_its_log(machine: Machine, runtime: str) -> None:
    machine.fails()
    result = machine.do(SCRIPT, runtime, WEB.id, STARTED, "30")
    assert (result.status, result.text) == (1, f"no\nlogs of {WEB.id}\n")
