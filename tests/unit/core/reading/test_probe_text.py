"""The pieces of a probe: each is whole shell text, in every shell this machine has."""

from __future__ import annotations

import subprocess

import pytest
from tests.unit.core.reading.test_probe import each_shell

from memrunbook.core.reading import probe_text

FILLED: dict[str, dict[str, str | int]] = {
    "NEWEST": {"command": "true", "newest": 3},
    "UNLESS": {"condition": "true", "said": "nothing", "command": "true"},
    "PLAIN_FILES": {"plain": "/a /b"},
    "PATTERNS": {"patterns": "/a*"},
    "ITEMS": {"items": '"$a"'},
    "AWK": {"least": 0, "program": "'BEGIN {}'"},
}


@each_shell
@pytest.mark.parametrize("name", ["START", "TRIED", *FILLED])
def test_each_piece_is_understood(shell: list[str], name: str) -> None:
    text: str = getattr(probe_text, name)
    whole = text.format(**FILLED[name]) if name in FILLED else text
    done = subprocess.run([*shell, "-n", "-c", whole], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


@each_shell
def test_what_is_held_back_comes_before_what_is_said_at_once(shell: list[str]) -> None:
    script = f"{probe_text.START}\nprobe_note file /a\nprobe_put text; printf '|'; probe_say walk w"
    done = subprocess.run([*shell, "-c", script, "sh", "0f1e"], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"|@@0f1e file /a\ntext@@0f1e walk w\n"
