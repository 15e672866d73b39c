"""Which machine a guest is: its memory, swap disk, kernel arguments, further hardware, and which Debian runs on it."""

from dataclasses import dataclass

from tests.kernel.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Configuration:
    """One kind of guest; each has a snapshot of its own. `hardware` is further options of qemu.

    `release` is the code name of a Debian, of which the guest has kernel and systemd; empty: of this machine's.
    `packages` are Debian packages that it has besides.
    """

    name: str
    memory_mib: int = 512
    swap_mib: int = 512
    kernel_arguments: tuple[str, ...] = ("psi=1",)
    hardware: tuple[str, ...] = ()
    release: str = ""
    packages: tuple[str, ...] = ()


MAIN = Configuration("main")
NO_PSI = Configuration("no-psi", kernel_arguments=("psi=0",))
# systemd from 256 on refuses v1 unless it is told twice; kernels before 5.11 count swap only when they are told.
CGROUP_V1 = Configuration(
    "cgroup-v1",
    kernel_arguments=(
        "psi=1",
        "systemd.unified_cgroup_hierarchy=0",
        "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
        "swapaccount=1",
    ),
)
NODES = (0, 1)
NODE_MIB = 256


def _node(number: int) -> tuple[str, ...]:
    memory = f"memory-backend-ram,id=memory{number},size={NODE_MIB}M"
    return ("-object", memory, "-numa", f"node,nodeid={number},memdev=memory{number},cpus={number}")


TWO_NODES = Configuration(
    "two-nodes", memory_mib=NODE_MIB * len(NODES), hardware=tuple(word for number in NODES for word in _node(number))
)
ROOMY = Configuration("roomy", memory_mib=1280)
# One balloon lowers MemTotal by what it takes; the other one may be asked to give back, and then MemTotal stays.
BALLOON = Configuration("balloon", hardware=("-device", "virtio-balloon-pci"))
HIDDEN_BALLOON = Configuration("hidden-balloon", hardware=("-device", "virtio-balloon-pci,deflate-on-oom=on"))
KERNELS = (MAIN, NO_PSI, CGROUP_V1)
"""The same machine with other kernel arguments: any scenario of one of them can be tried in the others."""
CONFIGURATIONS = {one.name: one for one in (*KERNELS, ROOMY, TWO_NODES, BALLOON, HIDDEN_BALLOON)}
DEBIAN_11 = Configuration("debian-11", release="bullseye")
DEBIAN_13 = Configuration("debian-13", release="trixie")
RELEASES = {one.name: one for one in (DEBIAN_11, DEBIAN_13)}
"""The main machine with another kernel (5.10, 6.12) and systemd; each has an image, made when it is asked for."""
CONTROL = Configuration("control", packages=("python3",))
"""A control node: Python is there, and what is tested can be installed. Other guests have none: hosts need none."""
PACKAGED = Configuration("packaged", packages=("man-db", "python3"))
"""What a Debian package of ours is installed on: it has what that depends on, and shows manuals."""


def configured(name: str) -> Configuration:
    """Return a configuration by name; raise LabError with the names there are if it is none of them."""
    known = CONFIGURATIONS | RELEASES | {one.name: one for one in (CONTROL, PACKAGED)}
    if name not in known:
        message = f"no configuration {name!r}; there are: {', '.join(known)}"
        raise LabError(message)
    return known[name]
