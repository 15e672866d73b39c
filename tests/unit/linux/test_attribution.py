from __future__ import annotations

import pytest

from memrunbook.linux.attribution import NOBODY, Groups, Owner, groups_of, kind_of, owner_of, shown_name

HEX = "a59e4e7d3090c04c6ce5a4b7a8bc85228eb9b96ac00b1284643a8c7c11dda661"
POD = "94eb36cd_29e1_478b_b365_4cb5dfc7d6fb"


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/system.slice/web.service", Owner("web.service", "")),
        ("/system.slice/web.service/worker/3", Owner("web.service", "")),
        ("/system.slice/system-foo.slice/foo@bar.service", Owner("foo@bar.service", "")),
        ("/system.slice/my\\x2dapp.service", Owner("my\\x2dapp.service", "")),
        ("/system.slice/a b, c.service", Owner("a b, c.service", "")),
        ("/user.slice/user-1000.slice/session-2.scope", Owner("session-2.scope", "")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service", Owner("user@1000.service", "")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", Owner("user@1000.service", "")),
        (f"/system.slice/docker-{HEX}.scope", Owner(f"docker-{HEX}.scope", f"docker:{HEX}")),
        (f"/system.slice/docker-{HEX}.scope/system.slice/in.service", Owner(f"docker-{HEX}.scope", f"docker:{HEX}")),
        (f"/docker/{HEX}", Owner("", f"docker:{HEX}")),
        ("/docker/buildkit", NOBODY),
        (f"/machine.slice/libpod-{HEX}.scope/container", Owner(f"libpod-{HEX}.scope", f"podman:{HEX}")),
        (f"/system.slice/web.service/libpod-payload-{HEX}", Owner("web.service", f"podman:{HEX}")),
        (f"/libpod_parent/libpod-{HEX}", Owner("", f"podman:{HEX}")),
        (f"/user.slice/libpod-{HEX}.scope", Owner(f"libpod-{HEX}.scope", f"podman:{HEX}")),
        (f"/system.slice/crio-{HEX}.scope", Owner(f"crio-{HEX}.scope", f"cri:{HEX}")),
        (f"/kubepods/burstable/pod{POD.replace('_', '-')}/{HEX}", Owner("", f"kubernetes:{POD.replace('_', '-')}")),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD}.slice/cri-containerd-{HEX}.scope",
            Owner("", f"kubernetes:{POD.replace('_', '-')}"),
        ),
        ("/kubepods.slice/kubepods-besteffort.slice", Owner("", "kubernetes:")),
        (f"/lxc/39004/ns/system.slice/docker-{HEX}.scope", Owner("", "lxc:39004")),
        ("/lxc", NOBODY),
        ("/lxc.payload.web/system.slice/nginx.service", Owner("", "lxc:web")),
        ("/machine.slice/machine-qemu\\x2d1.scope", Owner("", "machine:machine-qemu\\x2d1.scope")),
        ("/machine.slice", NOBODY),
        ("/init.scope", Owner("init.scope", "")),
        ("/system.slice/gone.service (deleted)", Owner("gone.service", "")),
        ("/system.slice", NOBODY),
        ("/.service", NOBODY),
        ("/", NOBODY),
        ("", NOBODY),
        ("web.service", NOBODY),
        ("/../../system.slice/web.service", NOBODY),
    ],
)
def test_the_owner_of_a_path(path: str, owner: Owner) -> None:
    assert owner_of(path) == owner


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("0::/system.slice/web.service\n", Groups("/system.slice/web.service", "/system.slice/web.service")),
        (
            "9:name=systemd:/system.slice/web.service\n4:memory:/pool\n0::/\n",
            Groups("/pool", "/system.slice/web.service"),
        ),
        ("4:cpu,memory:/pool\n", Groups("/pool", "/pool")),
        ("4:memory:/pool\n0::/system.slice/web.service\n", Groups("/pool", "/system.slice/web.service")),
        ("0::/a:b, c\n", Groups("/a:b, c", "/a:b, c")),
        ("0::/\n", Groups("/", "/")),
        ("0::/gone.service (deleted)\n", Groups("/gone.service", "/gone.service")),
        ("", Groups("", "")),
        ("no colons\nx:memory:/forged\n", Groups("", "")),
    ],
)
def test_the_groups_of_a_process(text: str, groups: Groups) -> None:
    assert groups_of(text) == groups


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/system.slice", "slice"),
        ("/system.slice/web.service", "service"),
        ("/system.slice/web.service/worker", "other"),
        ("/user.slice/user-1000.slice", "slice"),
        ("/user.slice/user-1000.slice/session-2.scope", "scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "service"),
        ("/docker", "other"),
        (f"/docker/{HEX}", "container"),
        (f"/docker/{HEX}/worker", "other"),
        (f"/system.slice/docker-{HEX}.scope", "container"),
        (f"/system.slice/docker-{HEX}.scope (deleted)", "container"),
        (f"/system.slice/docker-{HEX}.scope/system.slice/in.service", "other"),
        (f"/machine.slice/libpod-{HEX}.scope", "container"),
        ("/machine.slice", "slice"),
        ("/machine.slice/machine-qemu\\x2d1.scope", "guest"),
        ("/machine.slice/machine-qemu\\x2d1.scope/libvirt", "other"),
        ("/lxc/web", "guest"),
        ("/lxc.payload.web/system.slice", "other"),
        ("/kubepods.slice", "slice"),
        ("/kubepods.slice/kubepods-burstable.slice", "slice"),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD}.slice", "pod"),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD}.slice/crio-{HEX}.scope", "container"),
        (f"/kubepods.slice/kubepods-burstable-pod{POD}.slice/crio-{HEX}.scope/in", "other"),
        (f"/kubepods/burstable/pod{POD.replace('_', '-')}/{HEX}", "container"),
        ("/", "other"),
        ("", "other"),
    ],
)
def test_what_a_group_itself_is(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/system.slice/my\\x2dapp.service", "my-app.service"),
        ("/system.slice/caf\\xc3\\xa9.service", "café.service"),
        ("/system.slice/\\xff.service", "\ufffd.service"),
        ("/system.slice/a\\x2.service (deleted)", "a\\x2.service"),
        ("/", ""),
    ],
)
def test_names_are_shown_as_people_write_them(path: str, name: str) -> None:
    assert shown_name(path) == name
