"""`python -m tests.kernel.lab`: check this machine, build the image, or leave a guest running in a scenario's state."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.kernel.lab.boot import snapshot
from tests.kernel.lab.configuration import CONFIGURATIONS, RELEASES, configured
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import fresh_guest
from tests.kernel.lab.image import image
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import Scenario, named, names
from tests.kernel.lab.shell import Address

INTERRUPTED = 130
RUNBOOK = Path(sys.executable).with_name("runbook")
USERS = {"root": "", "ops": "  # with sudo", "plain": "  # without sudo"}


def main(arguments: list[str]) -> int:
    """Carry out one command; return 0, 130 if interrupted, or 1 with the reason on standard error."""
    options = _parser().parse_args(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        return _carry_out(options)
    except LabError as failure:
        print(f"kernel lab: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _carry_out(options: argparse.Namespace) -> int:
    if reason := obstacle():
        raise LabError(reason)
    if options.command == "guest":
        return _leave_running(options.scenario, options.configuration)
    if options.command == "build":
        built = image()
        for configuration in CONFIGURATIONS.values():
            snapshot(built, configuration)
        print(built.directory)
    return 0


def _leave_running(name: str, configuration: str) -> int:
    scenario = named(name)
    print(f"{scenario.name}: bringing it about; this takes a minute or two", flush=True)
    with fresh_guest(configured(configuration) if configuration else scenario.configuration) as guest:
        scenario.enter(guest)
        print(f"{scenario.name}: {scenario.summary}. In another terminal:\n")
        for command in _commands(scenario, _ssh_config(guest.address)):
            print(f"  {command}")
        print("\nCtrl-C ends the guest.", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    print(f"{scenario.name}: ended")
    return 0


def _ssh_config(address: Address) -> Path:
    """A configuration file for ssh and for us that calls the guest `lab`; it goes when the guest does."""
    file = address.known_hosts.with_name("ssh_config")
    file.write_text(
        f"Host lab\n  HostName 127.0.0.1\n  Port {address.port}\n  IdentityFile {address.identity}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {address.known_hosts}\n"
    )
    return file


def _commands(scenario: Scenario, ssh_config: Path) -> Iterator[str]:
    runbook, reach = os.path.relpath(RUNBOOK), f"--ssh-config {ssh_config}"
    watch = f" --watch {scenario.truth.watch}" if scenario.truth.watch else ""
    for user, note in USERS.items():
        yield f"{runbook} diagnose{watch} --host {user}@lab {reach}{note}"
    if scenario.truth.runbook:
        for command in ("plan", "run"):
            yield f"{runbook} {command} {scenario.truth.runbook}{watch} --host ops@lab {reach}"
    yield f"ssh -F {ssh_config} root@lab"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="say what is missing on this machine (exit status 1)")
    commands.add_parser("build", help="build the image and the snapshot of each configuration")
    guest = commands.add_parser("guest", help="run a guest until Ctrl-C")
    guest.add_argument("scenario", help=", ".join(names()))
    guest.add_argument("configuration", nargs="?", default="", help=", ".join(CONFIGURATIONS | RELEASES))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
