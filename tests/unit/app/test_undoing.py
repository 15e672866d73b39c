"""What a run has changed is taken back: nothing is begun that was asked for wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app.undoing import UndoArguments, undo
from memrunbook.core.errors import UsageError
from memrunbook.core.run.batches import Rollout
from memrunbook.testing import ScriptedApprover


def test_batches_that_are_none_are_told_before_anything_else(tmp_path: Path) -> None:
    arguments = UndoArguments(run="last", state=tmp_path, rollout=Rollout(serial=("half",)))
    with pytest.raises(UsageError, match="'half' is no number of hosts"):
        undo(arguments, ScriptedApprover())
    assert list(tmp_path.iterdir()) == []
