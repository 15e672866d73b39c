"""Builds the Debian guest's disk, kernel and initrd once, without root on the disk, a loop device or a mount."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.lab.archive import Archive, archive
from tests.kernel.lab.command import execute
from tests.kernel.lab.store import kept, key_of, prune, store

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "procps",
    "udev",
    "kmod",
    "sudo",
    "e2fsprogs",
    "iproute2",
    "linux-image-cloud-amd64",
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
DISK_SIZE = "3G"
DEBOOTSTRAP_SECONDS = 1500
_CUSTOMIZE = Path(__file__).with_name("customize.sh")


@dataclass(frozen=True, slots=True)
class Image:
    """A built guest and the keys to it."""

    directory: Path

    @property
    def disk(self) -> Path:
        """The root disk, a compressed qcow2 that overlays take as their backing file."""
        return self.directory / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        """The kernel to boot directly."""
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The initial RAM disk of that kernel."""
        return self.directory / "initrd"

    @property
    def identity(self) -> Path:
        """The private key that root, ops and plain accept."""
        return self.directory / "keys" / "client"

    def known_host(self, port: int) -> str:
        """Return the known_hosts line of a guest whose ssh is at this *port*."""
        kind, key, *_ = (self.directory / "keys" / "host.pub").read_text().split()
        return f"[127.0.0.1]:{port} {kind} {key}\n"


def image(release: str = "", packages: tuple[str, ...] = ()) -> Image:
    """Return the image for this source text, a Debian release and further *packages*, built first if it is not there.

    Without a *release* (its code name) it is this machine's own.
    """
    debian = archive(release)
    sources = (Path(__file__).read_text(), _CUSTOMIZE.read_text(), debian.suite, *packages)
    prune()
    return Image(kept(store() / "images" / key_of(*sources), lambda directory: _build(directory, debian, packages)))


def _build(directory: Path, debian: Archive, packages: tuple[str, ...]) -> None:
    keys = directory / "keys"
    keys.mkdir()
    for name in ("client", "host"):
        execute(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {name}", "-f", keys / name])
    tree = directory / "tree.tar"
    _make_tree(tree, keys, debian, packages)
    _make_disk(tree, directory)
    tree.unlink()


def _make_tree(tree: Path, keys: Path, debian: Archive, packages: tuple[str, ...]) -> None:
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += ["--variant=minbase", f"--include={','.join((*PACKAGES, *packages))}", '--aptopt=Acquire::Retries "3"']
    options += [f"--customize-hook={_CUSTOMIZE.read_text()}"]
    execute(
        ["mmdebstrap", *options, debian.suite, tree, *debian.lines],
        seconds=DEBOOTSTRAP_SECONDS,
        LAB_CLIENT_KEY=(keys / "client.pub").read_text(),
        LAB_HOST_KEY=(keys / "host").read_text(),
    )


def _make_disk(tree: Path, directory: Path) -> None:
    root, raw = directory / "root", directory / "disk.raw"
    root.mkdir()
    script = """
        set -eu
        tar --extract --file "$1" --directory "$2" --exclude './dev/*'
        mkfs.ext4 -q -L lab -m 0 -J size=16 -E lazy_itable_init=0,lazy_journal_init=0 -d "$2" "$3" "$4"
        cp --dereference "$2"/boot/vmlinuz-* "$5/vmlinuz"
        cp --dereference "$2"/boot/initrd.img-* "$5/initrd"
    """
    execute([*_as_root(), "sh", "-c", script, "sh", tree, root, raw, DISK_SIZE, directory], seconds=300)
    execute(["qemu-img", "convert", "-c", "-O", "qcow2", "-o", "compression_type=zstd", raw, directory / "disk.qcow2"])
    raw.unlink()
    shutil.rmtree(root)


def _as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["fakeroot", "--"]
