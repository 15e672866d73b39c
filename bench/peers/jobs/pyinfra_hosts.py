"""The farm's hosts, as pyinfra's command line takes them: where they are stands in the environment."""

import os

FARM = os.environ["FARM"]
DATA = {
    "ssh_port": int(os.environ["FARM_PORT"]),
    "ssh_user": os.environ["FARM_USER"],
    "ssh_key": f"{FARM}/id",
    "ssh_known_hosts_file": f"{FARM}/known_hosts",
    "ssh_strict_host_key_checking": "yes",
}
hosts = (os.environ["FARM_HOSTS"].split(","), DATA)
