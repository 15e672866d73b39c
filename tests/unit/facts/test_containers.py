from __future__ import annotations

import subprocess
from typing import Any

import pytest
from tests.facts.test_recorded import FOLDER, reading_of, samples_of

from memrunbook.core.reading.fact import Command, Reading, Unavailable
from memrunbook.facts import containers
from memrunbook.facts.processes import Processes

RECORDED = FOLDER / "containers" / "docker28-podman43.txt"


@pytest.fixture
def needed() -> dict[str, Reading | Unavailable]:
    samples = samples_of(RECORDED)
    return {need: reading_of(need, samples) for need in containers.FACT.needs}


def asked(readings: dict[str, Reading | Unavailable]) -> list[Command]:
    questions = containers.follow(readings)
    return [question for question in questions if isinstance(question, Command)]


def test_each_runtime_is_asked_once_for_all_of_its_containers(needed: dict[str, Any]) -> None:
    docker, podman = asked(needed)
    assert docker.argv[:5] == ("timeout", "10", "docker", "container", "inspect")
    assert docker.argv[7:] == ("c0ffee" * 10 + "abcd",)
    assert (podman.argv[2], podman.argv[7][:12]) == ("podman", "72c2bd2a4116")


def test_nobody_is_asked_where_no_container_was_seen(needed: dict[str, Any]) -> None:
    assert asked({}) == []
    nothing = Unavailable("denied", "no")
    assert asked({"processes": nothing, "cgroups": nothing}) == []
    [podman] = asked({**needed, "processes": Processes(seen=0, shown=0, all=[]), "cgroups": needed["cgroups"]})[1:]
    assert podman.argv[2] == "podman"


def test_not_more_than_forty_are_asked_for(needed: dict[str, Any]) -> None:
    process = needed["processes"].all[0]
    many = [_with_container(process, f"docker:{number:064x}") for number in range(50)]
    [docker] = asked({"processes": Processes(seen=50, shown=50, all=many)})
    assert len(docker.argv) == 7 + 40


@pytest.mark.parametrize("name", ["docker:", "docker:--help", "docker:$(reboot)", "lxc:c0ffeec0ffee", "machine:x"])
def test_only_ids_are_asked_for(needed: dict[str, Any], name: str) -> None:
    process = _with_container(needed["processes"].all[0], name)
    assert asked({"processes": Processes(seen=1, shown=1, all=[process])}) == []


def _with_container(process: Any, name: str) -> Any:
    return type(process)(
        **{field: getattr(process, field) for field in process.__struct_fields__} | {"container": name}
    )


def test_the_environment_of_a_container_is_never_asked_for() -> None:
    assert "Env" not in containers.FORMAT
    assert "{{json .}}" not in containers.FORMAT
    assert containers.FORMAT.count("{{") == containers.FORMAT.count("}}")


def test_a_shell_takes_the_format_as_it_is(needed: dict[str, Any]) -> None:
    done = subprocess.run(["printf", "%s", containers.FORMAT], capture_output=True, text=True, check=True)
    assert done.stdout == asked(needed)[0].argv[6]
