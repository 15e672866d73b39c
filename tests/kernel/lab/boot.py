"""Boots guests: once from power-on to freeze what has settled, afterwards from that snapshot in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.lab import machine
from tests.kernel.lab.configuration import Configuration
from tests.kernel.lab.image import Image
from tests.kernel.lab.machine import Disks, Machine
from tests.kernel.lab.monitor import Monitor
from tests.kernel.lab.shell import Address, Shell, connected
from tests.kernel.lab.store import kept, key_of

SNAPSHOT = "ready"
POWER_ON_SECONDS = 400
LOADED_SECONDS = 60
_SETTLED = "systemctl is-system-running --wait; udevadm settle; sync"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Both ends by which a running guest is reached: root's shell in it, and its machine's monitor."""

    shell: Shell
    monitor: Monitor


@contextmanager
def loaded(image: Image, configuration: Configuration, directory: Path) -> Iterator[Loaded]:
    """Yield a fresh guest of *configuration*, whose disks are in *directory*."""
    disks = snapshot(image, configuration).copy(directory)
    with (
        machine.running(image, configuration, disks, "-loadvm", SNAPSHOT) as running,
        _answering(image, running, directory, LOADED_SECONDS) as shell,
    ):
        yield Loaded(shell, running.monitor)


def snapshot(image: Image, configuration: Configuration) -> Disks:
    """Return the disks with the frozen state of a booted guest, made first if they are not there."""
    key = key_of(repr(configuration), machine.version(), Path(machine.__file__).read_text(), Path(__file__).read_text())

    def make(directory: Path) -> None:
        disks = Disks(directory)
        disks.create(image, configuration.swap_mib)
        _freeze(image, configuration, disks)

    return Disks(kept(image.directory / f"{configuration.name}-{key}", make))


def _freeze(image: Image, configuration: Configuration, disks: Disks) -> None:
    with machine.running(image, configuration, disks) as running:
        with _answering(image, running, disks.directory, POWER_ON_SECONDS) as shell:
            shell.run(_SETTLED, seconds=POWER_ON_SECONDS)
        running.monitor.human(f"savevm {SNAPSHOT}")


@contextmanager
def _answering(image: Image, running: Machine, directory: Path, seconds: float) -> Iterator[Shell]:
    known_hosts = directory / "known_hosts"
    known_hosts.write_text(image.known_host(running.port))
    with connected(Address(running.port, image.identity, known_hosts), seconds=seconds) as shell:
        yield shell
