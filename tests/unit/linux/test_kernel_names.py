"""What the kernel names itself is known by the whole of its name, and nothing that only looks like it."""

from __future__ import annotations

import pytest
from tests.hosts.test_hosts import RECORDED

from memrunbook.linux.kernel_names import DEVICE, is_slab, is_thread, release, thread_of
from memrunbook.transports.shared.bundle import read_bundle


@pytest.mark.parametrize(
    "name",
    [
        "kthreadd", "kswapd0", "kcompactd1", "khugepaged", "ksmd", "migration/0", "ksoftirqd/15", "cpuhp/3",
        "watchdog/2", "kworker/0:1", "kworker/u8:2", "kworker/3:0H", "kworker/0:1-events", "kworker/0:1H-kblockd",
        "kworker/R-rcu_gp", "kworker/u8:3-flush-8:0", "kworker/u8:2-ev", "jbd2/sda1-8", "jbd2/dm-3-8",
        "xfsaild/nvme0n1p2", "rcu_preempt", "rcu_tasks_trace", "oom_reaper", "kauditd", "loop0", "md127_raid1",
        "nfsd", "irq/9-acpi", "kdmflush/253:0", "rcu_tasks_kthre", "txg_sync",
    ],
)  # fmt: skip
def test_a_thread_of_the_kernel_is_known(name: str) -> None:
    assert is_thread(name)


@pytest.mark.parametrize(
    "name",
    [
        "kswapd", "kswapd0-acme", "migration-acme", "migration/acme", "watchdog_acme", "dm-acme-sync", "kworker",
        "kworker/acme", "kworker-acme", "kworker/0:1-acme", "kworker/R-bond_acme", "irq/25-acme", "jbd2/acme-8",
        "rcu_acme", "scsi_acme", "kacme", "md_acme_raid1", "wg-crypt-acme", "", "kworker/0:1-rcu_tasks_acme",
    ],
)  # fmt: skip
def test_what_only_begins_as_one_is_somebodys(name: str) -> None:
    assert not is_thread(name)


def test_a_queue_or_device_that_somebody_named_stands_behind_the_kernels_part() -> None:
    names = ("kworker/0:1-wg-acme", "kworker/R-acme", "irq/25-acme", "jbd2/acme-8", "acme")
    assert [thread_of(name) for name in names] == [
        "kworker/0:1-", "kworker/R-", "irq/25-", "jbd2/", "",
    ]  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_every_cache_of_objects_that_a_recorded_kernel_has_is_known(name: str) -> None:
    table = read_bundle(RECORDED[name])[0].text("/proc/slabinfo") or ""
    caches = [line.split(" ")[0] for line in table.split("\n")[2:] if line]
    assert [cache for cache in caches if not is_slab(cache)] == []


@pytest.mark.parametrize(
    "cache", ["acme_session", "kmalloc-acme", "dentry(77:acme.service)", "xfs_acme", "raid5-md_acme", ""]
)
def test_a_cache_of_somebodys_own_module_is_none_of_them(cache: str) -> None:
    assert not is_slab(cache)


@pytest.mark.parametrize(
    "text",
    [
        "6.1.0-13-amd64", "5.15.0-91-generic", "5.14.0-362.8.1.el9_3.x86_64", "6.8.12-4-pve",
        "5.4.17-2136.el8uek.x86_64", "6.6.31+rpt-rpi-v8", "6.1.79-99.167.amzn2023.x86_64",
        "5.3.18-150300.59.93-default", "6.9.7-arch1-1", "5.15.153.1-microsoft-standard-WSL2", "6.7.4-200.fc39.x86_64",
        "6.12.117+deb13-cloud-amd64", "4.19.0-26-rt-amd64", "3.10.0-1160.vz7", "6.18.44", "6.1.0-rc3",
    ],
)  # fmt: skip
def test_the_release_of_a_distribution_stays(text: str) -> None:
    assert release(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("6.1.0-acme1", "6.1.0-local"), ("5.10.0-acme.x86_64", "5.10.0-local.x86_64"), ("6.1acme", "6.local"),
        ("acme", "local"), ("6.1.0~acme+acme2", "6.1.0~local+local"), ("6.1.0 #1 (ada@acme)", "6.1.01locallocal"),
    ],
)  # fmt: skip
def test_what_its_builder_added_does_not(text: str, shown: str) -> None:
    assert release(text) == shown


def test_a_disk_is_one_that_the_kernel_numbered() -> None:
    for name in ("sda", "vdb3", "nvme0n1p3", "dm-3", "md127", "zram0", "loop7", "zd16p1", "dasda1"):
        assert DEVICE.fullmatch(name), name
    for name in ("dm-acme", "md_acme", "sda-acme", "acme", "sdabcd"):
        assert not DEVICE.fullmatch(name), name
