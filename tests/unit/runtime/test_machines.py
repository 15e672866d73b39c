from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.unit.runtime.real_shells import opened
from tests.unit.transports.shells import each_shell

from memrunbook.core.errors import Refused
from memrunbook.runtime.machines import PLACE, Machines
from memrunbook.runtime.ports import Output
from memrunbook.testing import ScriptedSession

AT_HOME = "0d1f2e3c-boot 0:25 /"


def at(place: str) -> ScriptedSession:
    return ScriptedSession(lambda _: Output(0, f"{place}\n"))


def test_a_machine_with_two_names_is_entered_under_the_first() -> None:
    machines = Machines()
    machines.enter(at(AT_HOME), "web01")
    machines.enter(at(AT_HOME), "web01")
    machines.enter(at("0d1f2e3c-boot 0:26 /"), "a container on it")
    with pytest.raises(Refused, match="same machine as web01") as refused:
        machines.enter(at(AT_HOME), "alias01")
    assert "hosts --check" in refused.value.hint


def test_what_cannot_be_told_apart_is_let_in() -> None:
    machines = Machines()
    for name in ("web01", "web02"):
        machines.enter(at(""), name)


@each_shell
def test_the_place_of_the_lock_in_real_shells(command: tuple[str, ...]) -> None:
    with opened(command) as session:
        boot, device, _ = session.execute(PLACE).text.split(maxsplit=2)
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert device.replace(":", "").isdecimal()


@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed here")
def test_another_run_folder_is_another_machine() -> None:
    apart = ("unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /run && exec sh -s")
    with opened(("sh", "-s")) as here, opened(apart) as there:
        if not (elsewhere := there.execute(PLACE).text):
            pytest.skip("this user mounts nothing")
        assert here.execute(PLACE).text != elsewhere
