"""A running guest as scenarios and tests see it: commands, files, programs, services, and the disks it may wreck."""

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kernel.lab.boot import Loaded, loaded
from tests.kernel.lab.configuration import MAIN, Configuration
from tests.kernel.lab.image import Image, image
from tests.kernel.lab.programs import compiled
from tests.kernel.lab.shell import ANSWER_SECONDS, Answer
from tests.kernel.lab.store import run_directory

SWAP_DEVICE = "/dev/vdb"


class Guest:
    """One guest, reached as root unless another user is named."""

    def __init__(self, running: Loaded) -> None:
        """Take a guest whose shell answers."""
        self._shell, self._monitor = running.shell, running.monitor
        self.address = running.shell.address

    def run(self, command: str, *, user: str = "root", seconds: float = ANSWER_SECONDS) -> Answer:
        """Run *command* and return how it ended; raise Unreachable if the guest does not answer."""
        return self._shell.run(command, user=user, seconds=seconds)

    def check(self, command: str, *, user: str = "root", seconds: float = ANSWER_SECONDS) -> str:
        """Return what *command* printed; raise CommandFailed if its status is not 0."""
        return self._shell.check(command, user=user, seconds=seconds)

    def write(self, path: str, content: str | bytes, *, mode: str = "0644") -> None:
        """Write a file of the guest; one that is there is replaced, even if it is a program that runs."""
        data = content if isinstance(content, bytes) else content.encode()
        target, fresh = shlex.quote(path), shlex.quote(f"{path}.new")
        self._shell.check(f"cat >{fresh} && chmod {mode} {fresh} && mv {fresh} {target}", stdin=data)

    def install(self, program: str) -> None:
        """Put one of the lab's C programs into the guest's /usr/local/bin."""
        self.write(f"/usr/local/bin/{program}", compiled(program), mode="0755")

    def start_service(self, name: str, command: str, *settings: str) -> None:
        """Write NAME.service that runs *command*, with further `Key=value` *settings*, and return once it runs."""
        lines = ["[Unit]", f"Description=lab {name}", "[Service]", "Type=exec", f"ExecStart={command}", *settings]
        lines += ["[Install]", "WantedBy=multi-user.target", ""]
        self.write(f"/etc/systemd/system/{name}.service", "\n".join(lines))
        self.check(f"systemctl daemon-reload && systemctl start {name}.service")

    def enable_swap(self) -> None:
        """Make the second disk a swap device and use it."""
        self.check(f"mkswap {SWAP_DEVICE} && swapon {SWAP_DEVICE}")

    def balloon(self, left_mib: int) -> None:
        """Have the machine's balloon take memory away until *left_mib* are left; it takes its time."""
        self._monitor.human(f"balloon {left_mib}")

    def set_clock(self) -> None:
        """Set the guest's clock, which stood still while it was a file."""
        self.check(f"date --set=@{time.time():.3f}")


@contextmanager
def fresh_guest(configuration: Configuration = MAIN) -> Iterator[Guest]:
    """Run a guest from its snapshot for the time of the `with` block; the first ever call builds and boots it."""
    with run_directory() as directory, loaded(_image(configuration), configuration, directory) as running:
        guest = Guest(running)
        guest.set_clock()
        yield guest


def _image(configuration: Configuration) -> Image:
    return image(configuration.release, configuration.packages)
