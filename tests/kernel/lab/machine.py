"""Runs one qemu: its command line, its process and its end, which comes with ours whatever happens."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.lab.command import execute
from tests.kernel.lab.configuration import Configuration
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.image import Image
from tests.kernel.lab.monitor import Monitor

_END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Disks:
    """The two disks of a guest, in its own directory: the root overlay and the swap device."""

    directory: Path

    @property
    def root(self) -> Path:
        """The overlay over the image's disk; it also holds the snapshot."""
        return self.directory / "root.qcow2"

    @property
    def swap(self) -> Path:
        """The second disk, /dev/vdb in the guest."""
        return self.directory / "swap.qcow2"

    def create(self, image: Image, swap_mib: int) -> None:
        """Make both, empty."""
        execute(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "qcow2", self.root])
        execute(["qemu-img", "create", "-q", "-f", "qcow2", self.swap, f"{swap_mib}M"])

    def copy(self, target: Path) -> "Disks":
        """Copy both into the directory *target*."""
        execute(["cp", "--sparse=always", "--reflink=auto", self.root, self.swap, target])
        return Disks(target)


@dataclass(frozen=True, slots=True)
class Machine:
    """A running qemu, its monitor, and the port of this machine that leads to its ssh."""

    process: subprocess.Popen[bytes]
    monitor: Monitor
    port: int


@contextmanager
def running(image: Image, configuration: Configuration, disks: Disks, *options: str) -> Iterator[Machine]:
    """Run a guest for the time of the `with` block; raise LabError if qemu does not start."""
    ours, its = socket.socketpair()
    port = _free_port()
    with ours, its:
        argv = [*_argv(image, configuration, disks), *_channels(its.fileno(), port, disks.directory), *options]
        process = _start(argv, its, disks.directory / "qemu.log")
        its.close()
        try:
            monitor = Monitor(ours)
            _greet(monitor, disks.directory)
            yield Machine(process, monitor, port)
            with suppress(LabError):
                monitor.quit()
        finally:
            _end(process)


def version() -> str:
    """Return the version of qemu: a snapshot of another one may not load."""
    return execute(["qemu-system-x86_64", "--version"]).splitlines()[0]


def _argv(image: Image, configuration: Configuration, disks: Disks) -> list[str]:
    arguments = ("root=/dev/vda", "rw", "console=ttyS0", "mitigations=off", *configuration.kernel_arguments)
    # Without ERMS the kernel clears and copies memory by words: emulated byte by byte it took most of a guest's time.
    processor = "max,la57=off,erms=off,fsrm=off"
    machine = f"-nodefaults -no-user-config -display none -machine q35 -accel tcg,thread=multi -cpu {processor} -smp 2"
    return [
        *("qemu-system-x86_64", *machine.split(), "-m", f"{configuration.memory_mib}M"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", " ".join(arguments)),
        *configuration.hardware,
        *("-drive", f"file={disks.root},format=qcow2,if=virtio,cache=unsafe"),
        *("-drive", f"file={disks.swap},format=qcow2,if=virtio,cache=unsafe"),
    ]


def _channels(monitor: int, port: int, directory: Path) -> list[str]:
    return [
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"),
        *("-serial", f"file:{directory / 'console.log'}"),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
    ]


def _start(argv: list[str], its: socket.socket, log: Path) -> subprocess.Popen[bytes]:
    # setpriv makes the kernel end qemu when we are killed and no `finally` runs.
    with log.open("wb") as said:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *argv],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _greet(monitor: Monitor, directory: Path) -> None:
    try:
        monitor.greet()
    except LabError as failure:
        message = f"qemu did not start: {(directory / 'qemu.log').read_text().strip()}"
        raise LabError(message) from failure


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
        return
    process.kill()
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
