"""The command: its stdin, its environment, and that nothing of it is left behind."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from memrunbook.receivers.command import ProgramReceiver
from memrunbook.receivers.shared.receiver import Message, NotTaken

MESSAGE = Message("id-1", "web1: failed", "evidence", b'{"verdict": "$(touch x) `id`"}')


def python(code: str, *arguments: str, **more: Any) -> ProgramReceiver:
    return ProgramReceiver(name="pager", command=(sys.executable, "-c", code, *arguments), **more)


def test_the_document_stands_on_stdin_and_nothing_of_ours_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter22")
    monkeypatch.setenv("TEAM", "ops")
    code = (
        "import json, os, sys; "
        "json.dump([sys.argv[2:], sys.stdin.read(), dict(os.environ), os.getcwd()], open(sys.argv[1], 'w'))"
    )
    python(code, str(tmp_path / "got"), "a b", pass_variables=("TEAM",)).send(MESSAGE, 10.0)
    words, said, environment, folder = json.loads((tmp_path / "got").read_text())
    assert (words, said, folder) == (["a b"], MESSAGE.document.decode(), "/")
    assert environment["TEAM"] == "ops"
    assert "DB_PASSWORD" not in environment
    assert "hunter22" not in str(environment)


def test_who_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    late = tmp_path / "late"
    began = time.monotonic()
    with pytest.raises(NotTaken, match="did not end within 1 s"):
        ProgramReceiver(name="x", command=("/bin/sh", "-c", f"(sleep 3; touch {late}) & sleep 60")).send(MESSAGE, 1.0)
    assert time.monotonic() - began < 5
    time.sleep(3.2)
    assert not late.exists()


def test_what_it_leaves_in_the_background_is_ended_too(tmp_path: Path) -> None:
    late = tmp_path / "late"
    ProgramReceiver(name="x", command=("/bin/sh", "-c", f"(sleep 2; touch {late}) & exit 0")).send(MESSAGE, 5.0)
    time.sleep(2.2)
    assert not late.exists()


def test_a_failure_is_told_with_its_last_word() -> None:
    with pytest.raises(NotTaken, match=r"failed with status 3: no route \\x1b\[31m"):
        python("import sys; sys.stderr.write('first\\nno route \\x1b[31m\\n\\n'); sys.exit(3)").send(MESSAGE, 10.0)
    with pytest.raises(NotTaken, match="cannot be started: No such file"):
        ProgramReceiver(name="x", command=("/nonexistent-program",)).send(MESSAGE, 1.0)


def test_what_it_says_fills_neither_disk_nor_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    says = "import os\nfor _ in range(200): os.write(2, b'x' * 99999 + b'\\n')\nos.write(2, b'the end\\n'); os._exit(4)"
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotTaken, match=r"failed with status 4: the end$"):
        python(says).send(MESSAGE, 30.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 10_000, "20 MB were said"
    assert list(tmp_path.iterdir()) == []


def test_a_script_whose_interpreter_is_missing_is_there_all_the_same(tmp_path: Path) -> None:
    script = tmp_path / "hook"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(NotTaken, match="what its first line names, or it links to, is not there"):
        ProgramReceiver(name="x", command=(str(script),)).send(MESSAGE, 1.0)


def test_a_program_has_an_absolute_path() -> None:
    assert "absolute path" in ProgramReceiver(name="x", command=("page",)).problem()
    assert ProgramReceiver(name="x", command=("/usr/bin/page", "--team", "ops")).problem() == ""
