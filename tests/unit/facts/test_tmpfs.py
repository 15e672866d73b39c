from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS

from memrunbook.core.reading.fact import Cut, Reading, Unavailable
from memrunbook.facts.tmpfs import MOUNTS, SCRIPT, TmpfsReading, follow, parse

INFO = "{id} 27 {device} / {point} rw,nosuid shared:5 - {kind} scratch rw,size=48104k\n"


class Memory(Reading, frozen=True, kw_only=True):
    shared_percent: float | None = None


def said(shell: tuple[str, ...], mounts: str, tmp_path: Path) -> list[str]:
    """What the script prints of these mounts, with file systems of this machine behind them."""
    (tmp_path / "mountinfo").write_text(mounts)
    script = SCRIPT.replace("/proc/self/mountinfo", str(tmp_path / "mountinfo"))
    done = subprocess.run([*shell, "-c", script, "sh"], capture_output=True, text=True, timeout=60, check=True)
    return [line.split(" ", 3)[3] for line in done.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("stat") is None, reason="stat is not here")
@pytest.mark.parametrize("shell", SHELLS)
def test_each_file_system_in_memory_is_asked_once_and_no_other(shell: tuple[str, ...], tmp_path: Path) -> None:
    rows = [("0:23", "/run", "tmpfs"), ("0:23", "/", "tmpfs"), ("0:6", "/dev", "devtmpfs"), ("0:9", "/nfs", "nfs4")]
    rows += [("0:30", "/tmp", "tmpfs"), ("0:31", r"/a\040b", "tmpfs"), ("0:32", f"{tmp_path}/$(reboot)", "tmpfs")]
    mounts = "".join(INFO.format(id=n, device=dev, point=point, kind=kind) for n, (dev, point, kind) in enumerate(rows))
    (tmp_path / "$(reboot)").mkdir()
    assert said(shell, mounts, tmp_path) == ["/run", "/tmp", f"{tmp_path}/$(reboot)"]


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_file_system_in_memory_nothing_is_asked(shell: tuple[str, ...], tmp_path: Path) -> None:
    assert said(shell, INFO.format(id=1, device="8:1", point="/", kind="ext4"), tmp_path) == []


@pytest.mark.parametrize(("share", "names"), [(5.0, []), (5.1, [MOUNTS]), (None, [])])
def test_only_much_shared_memory_is_worth_a_question(share: float | None, names: list[str]) -> None:
    asks = follow({"memory": Memory(shared_percent=share)})
    assert [getattr(ask, "name", "") for ask in asks] == names


def test_without_the_fact_memory_nothing_is_asked_or_known() -> None:
    assert follow({}) == ()
    assert isinstance(parse((), {}), Unavailable)


def test_where_nobody_asked_it_is_not_known_what_is_mounted() -> None:
    found = parse((), {"memory": Memory(shared_percent=5.0)})
    assert isinstance(found, TmpfsReading)
    assert found.cut == {"mounts": Cut("shared memory is at most 5 % of RAM: not asked")}
