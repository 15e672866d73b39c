"""Five operations of pyinfra: each looks, writes only what is needed, and looks again."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pyinfra.operations import server
from steps import STEPS

for number, step in enumerate(STEPS, 1):
    server.shell(name=f"step {number}", commands=[step])
