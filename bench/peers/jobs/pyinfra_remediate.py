"""Five operations of pyinfra: each looks, writes only what is needed, and looks again."""

import os

from pyinfra.operations import server

for number, step in enumerate(os.environ["FARM_STEPS"].splitlines(), 1):
    server.shell(name=f"step {number}", commands=[step])
