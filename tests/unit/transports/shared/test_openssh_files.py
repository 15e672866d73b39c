"""What OpenSSH's client is handed."""

from __future__ import annotations

import gc
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from memrunbook.transports.shared.openssh_files import OpensshFiles


@pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed here")
def test_ssh_understands_it_and_nothing_behind_can_weaken_it(tmp_path: Path) -> None:
    given = tmp_path / "conf[ig]"
    text = "Host web\n HostName 192.0.2.7\nStrictHostKeyChecking no\nControlPersist yes\nIdentityFile /more\n"
    given.write_text(text + "BatchMode no\nUserKnownHostsFile /other\nLogLevel QUIET\n", encoding="ascii")
    key, known = tmp_path / "100% mine", tmp_path / "known hosts"
    files = OpensshFiles((key,), (known,), given)
    printed = subprocess.run(
        ["ssh", "-T", "-G", "-F", str(files.config), "web"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for line in (
        "hostname 192.0.2.7",
        "batchmode yes",
        "stricthostkeychecking true",
        "controlpersist no",
        "loglevel DEBUG",
        f"userknownhostsfile {known}",
        "globalknownhostsfile /dev/null",
    ):
        assert line in printed
    assert [line for line in printed if line.startswith("identityfile")] == [
        f"identityfile {tmp_path}/100%% mine",
        "identityfile /more",
    ]


def test_new_keys_are_accepted_where_that_is_asked_for() -> None:
    assert "accept-new" in OpensshFiles(accept_new=True).config.read_text()
    assert 'Include "/etc/ssh/ssh_config"' in OpensshFiles().config.read_text()


def test_it_is_ours_alone_and_goes_with_the_run() -> None:
    files = OpensshFiles()
    folder = files.config.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert files.new() != files.new()
    del files
    gc.collect()
    assert not folder.exists()


def test_a_long_temporary_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("x" * 60)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert len(str(OpensshFiles().new())) < 80
    assert not list(deep.iterdir())
