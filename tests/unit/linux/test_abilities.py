"""Every action is named by what it needs, and every shell answers for each ability without changing anything."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from memrunbook import catalog
from memrunbook.linux.abilities import ABILITIES, NEED_NO_ROOT, SCRIPT, read_abilities

SHELLS = [shell for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]
CHILD = 'child() { "$@"; }; shell_user=$(id -u)\n'


def test_every_action_is_named() -> None:
    named = {action for one in ABILITIES for action in one.actions}
    assert named | NEED_NO_ROOT == set(catalog.actions())


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_answers_for_each(shell: list[str]) -> None:
    done = subprocess.run([*shell, "-s"], input=CHILD + SCRIPT, check=True, capture_output=True, text=True)
    found = read_abilities(done.stdout)
    assert set(found) == {one.name for one in ABILITIES}
    assert found["start"] == "yes"
    assert done.stderr == ""


def test_what_is_no_answer_is_left_out() -> None:
    assert read_abilities("Welcome!\nyes root\nno such\nmaybe lock\nabsent zram\nyes\n") == {
        "root": "yes",
        "zram": "absent",
    }
