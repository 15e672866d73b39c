"""Reads as pyinfra does: the probe is the question of a fact."""

import os
from pathlib import Path

from pyinfra import host
from pyinfra.facts.server import Command

answer = host.get_fact(Command, Path(os.environ["FARM_PROBE"]).read_text(encoding="utf-8"))
print(answer)
