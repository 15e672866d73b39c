"""`python -m tests.kernel.lab`: check this machine, build the image, or leave a guest running in a scenario's state."""

import argparse
import signal
import sys
from contextlib import suppress

from tests.kernel.lab.boot import snapshot
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import fresh_guest
from tests.kernel.lab.image import image
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import named, names

INTERRUPTED = 130


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
        return _leave_running(options.scenario)
    if options.command == "build":
        built = image()
        snapshot(built, named("idle_healthy").configuration)
        print(built.directory)
    return 0


def _leave_running(name: str) -> int:
    scenario = named(name)
    with fresh_guest(scenario.configuration) as guest:
        scenario.enter(guest)
        address = guest.address
        print(f"{scenario.name}: {scenario.summary}. Try (as root, or as ops with sudo, or as plain without):\n")
        print(
            f"  runbook diagnose --host root@127.0.0.1:{address.port} "
            f"--identity {address.identity} --known-hosts {address.known_hosts}\n"
        )
        print("Ctrl-C ends the guest.", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="say what is missing on this machine (exit status 1)")
    commands.add_parser("build", help="build the image and its snapshot")
    commands.add_parser("guest", help="run a guest until Ctrl-C").add_argument("scenario", choices=names())
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
