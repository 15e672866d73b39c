"""Which machine a guest is: its memory, swap disk and kernel arguments."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Configuration:
    """One kind of guest; each has a snapshot of its own."""

    name: str
    memory_mib: int = 512
    swap_mib: int = 512
    kernel_arguments: tuple[str, ...] = ("psi=1",)


MAIN = Configuration("main")
