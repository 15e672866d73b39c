"""What parallel-ssh does: `… PROBE` sends the probe to all hosts, without PROBE the five steps in turn."""

import os
import sys
from pathlib import Path

from pssh.clients import ParallelSSHClient

steps = os.environ["FARM_STEPS"].splitlines()
hosts = os.environ["FARM_HOSTS"].split(",")
commands = [Path(path).read_text(encoding="utf-8") for path in sys.argv[1:]] or steps
client = ParallelSSHClient(
    hosts,
    user=os.environ["FARM_USER"],
    port=int(os.environ["FARM_PORT"]),
    pkey=f"{os.environ['FARM']}/id",
    pool_size=int(os.environ["FARM_AT_ONCE"]),
)
for command in commands:
    output = client.run_command(command)
    client.join(output)
    for answer in output:
        print("\n".join(answer.stdout))
        if answer.exit_code != 0:
            sys.exit(f"{answer.host}: exit status {answer.exit_code}")
print("proven\n" * len(hosts) if commands is steps else "", end="")
