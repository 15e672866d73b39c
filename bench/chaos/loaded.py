"""All that the command ever loads, loaded when this is: for the process that the others are forked from."""

from __future__ import annotations

from memrunbook.app.learning import learn_all

learn_all()
