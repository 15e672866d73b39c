"""What fabric does: `python fabric_job.py PROBE` sends the probe to all hosts, without PROBE the five steps in turn."""

import os
import sys
from pathlib import Path

from fabric import Config, ThreadingGroup

FARM = os.environ["FARM"]
steps = os.environ["FARM_STEPS"].splitlines()
commands = [Path(path).read_text(encoding="utf-8") for path in sys.argv[1:]] or steps
config = Config(runtime_ssh_path=f"{FARM}/config")
with ThreadingGroup(*os.environ["FARM_HOSTS"].split(","), config=config) as group:
    for command in commands:
        for result in group.run(command, hide=True, in_stream=False).values():
            sys.stdout.write(result.stdout)
print("proven\n" * len(group) if commands is steps else "", end="")
