"""Names get other names: the same name always the same one, and what the engine goes by stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from memrunbook.core.action import protect
from memrunbook.linux.advice import RUNTIMES
from memrunbook.runtime.masking import Masks


def test_the_same_name_is_the_same_placeholder_and_another_another() -> None:
    masks = Masks()
    assert masks.process("indexer") == masks.process("indexer") == "process-1"
    assert masks.process("crawler") == "process-2"
    assert masks.unit("search-api.service") == masks.unit("search-api.service") == "unit-1.service"
    assert masks.unit("search-api.socket") == "unit-2.socket"
    assert masks.host("web1") == "host-1"
    assert masks.given == {
        "indexer": "process-1", "crawler": "process-2", "search-api.service": "unit-1.service",
        "search-api.socket": "unit-2.socket", "web1": "host-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "ssh.service", "systemd-journald.service", "user@1000.service", "session-3.scope",
        "init.scope", "user-1000.slice",
        "system-getty.slice", "getty@tty1.service", "postgresql.service", "docker.service", "-.mount", "system.slice",
        "kubepods-burstable.slice", "pcsd.service", "systemd-udevd.service", "systemd-tmpfiles-clean.timer",
        "serial-getty@ttyS0.service", r"system-systemd\x2dfsck.slice",
    ],
)  # fmt: skip
def test_a_unit_of_the_distribution_stays(name: str) -> None:
    assert Masks().unit(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "java", "nginx", "python3.11", "kworker/u8:2-ev", "kswapd0", "migration/0", "kcompactd0", "rcu_preempt",
        "oom_reaper", "systemd", "systemd-journal", "systemd-timesyn", "sshd", "(sd-pam)", "dropbear",
    ],
)  # fmt: skip
def test_a_well_known_program_stays(name: str) -> None:
    assert Masks().process(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("postgresql@15-payroll.service", "postgresql@instance-1.service"),
        ("redis-payroll.service", "redis-unit-1.service"),
        ("payroll@7.service", "unit-1@instance-1.service"),
        ("systemd-nspawn@payroll.service", "systemd-nspawn@instance-1.service"),
        ("payroll.slice", "unit-1.slice"),
        ("system-payroll.slice", "unit-1.slice"),
        (r"system-systemd\x2dpayroll.slice", "unit-1.slice"),
        ("systemd-payroll.service", "systemd-unit-1.service"),
        ("systemd-payroll@x.service", "systemd-unit-1@instance-1.service"),
        ("getty@ttypayroll.service", "getty@instance-1.service"),
        ("payroll-nova-compute.service", "unit-1-nova-compute.service"),
        ("srv-payroll.mount", "unit-1.mount"),
        (r"pay\x2droll.service", "unit-1.service"),
    ],
)
def test_of_a_units_name_only_what_the_engine_goes_by_stays(name: str, shown: str) -> None:
    assert Masks().unit(name) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("redis-payroll", "redis-process-1"), ("gunicorn: pay", "gunicornprocess-1"), ("oracle_pay", "oracleprocess-1"),
        ("migration-payroll", "process-1"), ("watchdog_acme", "process-1"), ("dm-acme-sync", "process-1"),
        ("kworker/0:1-wg-acme", "kworker/0:1-queue-1"), ("irq/25-acme", "irq/25-queue-1"),
        ("systemd-payroll", "systemd-process-1"), ("redis-10.1.2.3", "redis-process-1"), ("redis-6379", "redis-6379"),
    ],
)  # fmt: skip
def test_of_a_process_only_what_the_engine_goes_by_stays(name: str, shown: str) -> None:
    assert Masks().process(name) == shown


def test_what_may_not_be_touched_may_not_be_touched_under_its_other_name() -> None:
    units = ["payroll.scope", "patroni-pay.service", "k3s-pay.service", "ssh@10.0.0.7.service", "ceph-mon@pay.service"]
    processes = [
        "sshd-pay",
        "sshd: pay",
        "systemd-pay",
        "mysqld_pay",
        "kube-pay",
        "virtpayd",
        "postgres",
        "supervise-pay",
        "conmon",
    ]
    masks = Masks()
    for unit in units:
        shown = masks.unit(unit)
        assert "pay" not in shown
        assert protect.untouchable_unit(shown) == protect.untouchable_unit(unit)
        assert protect.named_only_unit(shown) == protect.named_only_unit(unit)
        assert protect.cluster_unit(shown) == protect.cluster_unit(unit)
    for process in processes:
        shown = masks.process(process)
        assert protect.protected_name(shown) == protect.protected_name(process), process
        why = [protect.untouchable_process(7, name, 0, kernel_thread=False) for name in (process, shown)]
        assert why[0] == why[1], process


def test_every_program_with_advice_of_its_own_keeps_it() -> None:
    names = [
        "java",
        "node",
        "python3",
        "ruby",
        "apache2",
        "php-fpm8.2",
        "postgres",
        "mysqld",
        "redis-server",
        "prometheus",
    ]
    assert len(RUNTIMES) == len(names)
    assert [Masks().process(name) for name in names] == names


def test_ids_keep_their_shape_and_the_first_twelve_digits_tell_them_apart() -> None:
    masks = Masks()
    one, two = masks.identifier("c0ffee" * 10), masks.identifier("deadbeef" * 8)
    assert (len(one), len(two)) == (60, 64)
    assert one[:12] != two[:12]
    assert masks.identifier("9b2d4e1c-0a77-4c55-8f2e-1f0c6b7a9d10").count("-") == 4
    assert masks.identifier("c0ffee" * 10) == one


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/system.slice/search-api.service", "/system.slice/unit-1.service"),
        ("/system.slice/docker-3f9d0c1b7a52.scope", "/system.slice/docker-000000000001.scope"),
        ("/docker/3f9d0c1b7a52e864/init", "/docker/0000000000010000/init"),
        ("/lxc/payroll", "/lxc/group-1"),
        ("/lxc.payload.payroll/x (deleted)", "/lxc.payload.guest-1/group-1 (deleted)"),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f3c0a11_aaaa_bbbb_cccc_0123456789ab.slice",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod00000000_0001_0000_0000_000000000000.slice",
        ),
        ("/kubepods-payroll-pod0f3c0a11_aaaa_bbbb_cccc_0123456789ab.slice", "/unit-1.slice"),
        ("/", "/"),
    ],
)
def test_the_path_of_a_group_keeps_what_says_whose_it_is(path: str, shown: str) -> None:
    assert Masks().group(path) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/srv/payroll/db", "/srv/name-1/name-2"),
        ("/dev/shm/payroll", "/dev/shm/name-1"),
        ("/dev/nvme0n1p3", "/dev/nvme0n1p3"),
        ("/dev/mapper/payroll-swap", "/dev/mapper/name-1"),
        ("/run/user/1000", "/run/user/1000"),
        ("/etc/sysctl.d/60-payroll.conf", "/etc/sysctl.d/60-file-1.conf"),
        (
            "/run/systemd/system/search-api.service.d/50-pacemaker.conf",
            "/run/systemd/system/unit-1.service.d/50-pacemaker.conf",
        ),
        ("/home/ada/.cache", "/home/name-1/name-2"),
        ("/usr/lib/sysctl.d/50-default.conf", "/usr/lib/sysctl.d/50-default.conf"),
        ("/usr/lib/sysctl.d/60-payroll.conf", "/usr/lib/sysctl.d/60-file-1.conf"),
        ("/srv/acme-memrunbook", "/srv/name-1"),
        ("/run/memrunbook-holds/x", "/run/memrunbook-holds/name-1"),
        ("/srv/10.1.2.3", "/srv/name-1"),
    ],
)
def test_of_a_path_only_common_folders_and_disks_stay(path: str, shown: str) -> None:
    assert Masks().path(path) == shown


def test_hosts_that_end_at_once_get_no_number_twice() -> None:
    masks = Masks()
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(masks.process, [f"job{number % 200}" for number in range(4000)]))
    assert len(set(shown)) == 200
    assert all(shown[number] == shown[number % 200] for number in range(4000))
