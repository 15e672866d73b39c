"""A host that let us in and stopped answering."""

from __future__ import annotations

from memrunbook.runtime.silence import stopped_answering


def test_it_says_how_long_and_what_to_do() -> None:
    error = stopped_answering(60.04)
    assert error.message == "logged in, but the shell stopped answering: nothing was read in 60 s"
    assert "--patience" in error.hint
