"""Which machine a guest is: its memory, swap disk and kernel arguments."""

from dataclasses import dataclass

from tests.kernel.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Configuration:
    """One kind of guest; each has a snapshot of its own."""

    name: str
    memory_mib: int = 512
    swap_mib: int = 512
    kernel_arguments: tuple[str, ...] = ("psi=1",)


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
CONFIGURATIONS = {configuration.name: configuration for configuration in (MAIN, NO_PSI, CGROUP_V1)}


def configured(name: str) -> Configuration:
    """Return a configuration by name; raise LabError with the names there are if it is none of them."""
    if name not in CONFIGURATIONS:
        message = f"no configuration {name!r}; there are: {', '.join(CONFIGURATIONS)}"
        raise LabError(message)
    return CONFIGURATIONS[name]
