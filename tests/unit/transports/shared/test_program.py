"""Programs that answer in text."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared import program
from memrunbook.transports.shared.program import answer_of

PROGRAM = "from memrunbook.transports.shared.program import answer_of"


def shell(script: str, seconds: float = 10.0) -> str:
    return answer_of(["/bin/sh", "-c", script], Path("/"), seconds)


def test_it_answers_from_its_folder_with_nothing_to_read() -> None:
    assert shell("pwd; cat; echo said >&2") == "/\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo first >&2; echo 'no such region' >&2; exit 3", "it failed with status 3: no such region"),
        ("exit 1", "it failed with status 1: it said nothing"),
        ("printf '\\377'", "its answer is not UTF-8"),
    ],
)
def test_why_it_failed(script: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        shell(script)


def test_one_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError, match="did not answer within 0 s"):
        shell(f"(sleep 1; touch {tmp_path}/late) & sleep 60", 0.3)
    assert time.monotonic() - begun < 10
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_one_that_says_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LARGEST", 1 << 20)
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        shell("head -c 2000000 /dev/zero")


def test_one_that_says_more_and_more_is_ended_when_it_has_said_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LARGEST", 1 << 20)
    begun = time.monotonic()
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        shell("while :; do head -c 300000 /dev/zero; sleep 0.05; done", 60)
    assert time.monotonic() - begun < 20


def is_over(stat: Path) -> bool:
    """Gone, or a zombie that nobody has asked for yet."""
    for _ in range(100):
        try:
            state = stat.read_text().rpartition(") ")[2][:1]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_one_ends_when_we_are_ended(number: signal.Signals, tmp_path: Path) -> None:
    ask = "answer_of(['/bin/sh', '-c', 'echo $$ >pid; sleep 60'], Path.cwd())"
    heard = f"import signal; signal.signal({int(number)}, signal.SIG_DFL)"  # nohup, and so its children, ignore one
    engine = subprocess.Popen(
        [sys.executable, "-c", f"{heard}; from pathlib import Path; {PROGRAM}; {ask}"], cwd=tmp_path
    )
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    engine.send_signal(number)
    assert engine.wait(20) == -number
    assert is_over(Path(f"/proc/{pid.read_text().strip()}/stat"))


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x", encoding="utf-8")
    for word, why in ((f"{tmp_path}/nosuch", "is not installed"), (f"{tmp_path}/data", "cannot be started")):
        with pytest.raises(UsageError, match=why):
            answer_of([word], tmp_path)
