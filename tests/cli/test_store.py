"""Which store counts: the option, else the environment, else config.yaml, else the file in the state directory."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import here

from memrunbook.state.store import FILE

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def config(own_home: Path) -> Path:
    """The config.yaml of whoever runs this."""
    folder = own_home / ".config" / "memrunbook"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("{}\n")
    (folder / "config.yaml").chmod(0o600)
    return folder / "config.yaml"


def words(folder: Path, more: str = "memory.available_percent > 100.0") -> list[str]:
    steps = act("add", "sh", "-c", f"echo once >> {folder / 'done'}", risk="medium")
    return ["run", book(folder, steps, resolved=more), "--host", "local", "--allow", "run_command"]


def test_each_place_goes_before_the_next(
    tmp_path: Path, state: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, by_file, by_environment, by_option = (
        state / FILE, tmp_path / "c.sqlite", tmp_path / "e.sqlite", tmp_path / "o.sqlite",
    )  # fmt: skip
    assert here("off").code == 0
    assert usual.exists()
    config.write_text(f"store: {by_file}\n")
    assert str(by_file) in here("on").out
    assert here("off", "for", "config").code == 0
    monkeypatch.setenv("RUNBOOK_STORE", str(by_environment))
    assert str(by_environment) in here("on").out
    assert str(by_option) in here("on", "--store", str(by_option)).out
    monkeypatch.delenv("RUNBOOK_STORE")
    here(*words(tmp_path)).refused(5, "changes are switched off", "for config", hint="runbook on")
    ran = here(*words(tmp_path), "--store", str(by_option))
    assert ran.code == 3, ran.said
    assert "undo" not in ran.err
    here(*words(tmp_path)).refused(5, "changes are switched off", hint="runbook on")
    assert here("on", "--config-dir", str(config.parent)).code == 0
    assert here(*words(tmp_path)).code == 3, "the cool-down stands in the other store"
    assert (tmp_path / "done").read_text() == "once\n" * 2


def test_undo_and_resume_use_the_store_of_the_run(tmp_path: Path) -> None:
    other = tmp_path / "o.sqlite"
    assert here(*words(tmp_path), "--store", str(other)).code == 3
    assert here("off", "--store", str(other)).code == 0
    undone = here("undo", "last", "--yes")
    assert undone.code in (0, 5)
    assert "--store" not in undone.err, undone.said


def test_a_password_on_the_command_line_is_refused(tmp_path: Path) -> None:
    refused = here("off", "--store", "postgresql://ada:s3cret@127.0.0.1:1/x")
    refused.refused(2, "seen by everybody", hint=".pgpass")
    assert "s3cret" not in refused.said
    here("off", "--store", "mysql://x/y").refused(2, "--store", "is no store", hint="postgresql://")
    here("off", "--store", str(tmp_path)).refused(2, "this is a folder", hint=FILE)
    here("off", "--store", "postgresql://ada@127.0.0.1:x/y").refused(2, "cannot be read as a URL", hint="postgresql")


def test_a_password_file_that_cannot_be_read_stops_before_anything(tmp_path: Path, config: Path) -> None:
    (tmp_path / "pw").write_bytes(b"\xff\xfe")
    (tmp_path / "pw").chmod(0o600)
    config.write_text(f"store: {{url: 'postgresql://ada@127.0.0.1:1/x', password_file: {tmp_path / 'pw'}}}\n")
    here(*words(tmp_path)).refused(6, "the password of the store cannot be read", hint="whose file")
    (tmp_path / "pw").write_text("s3cret\n")
    refused = here(*words(tmp_path))
    refused.refused(6, "the store does not answer", hint="nothing is changed")
    assert "s3cret" not in refused.said
    assert not (tmp_path / "done").exists()


def test_the_limits_of_config_yaml_are_those_of_runs(tmp_path: Path, config: Path) -> None:
    config.write_text("limits: {most_without_help: 1, cool_down: 1m, restart_every: 1m}\n")
    assert here(*words(tmp_path)).code == 3
    refused = here(*words(tmp_path))
    assert refused.code == 5
    assert "1 run of small in 24 h did not end the incident here" in refused.out


def test_a_mistake_in_it_is_told_before_anything_is_done(tmp_path: Path, config: Path) -> None:
    config.write_text("limits: {most_in_run: 0}\nforward: nowhere\n")
    for command in (words(tmp_path), ["off"], ["on"]):
        refused = here(*command)
        assert refused.code == 2
        assert "must be at least 1" in refused.said
    assert not (tmp_path / "done").exists()


def test_lines_go_to_the_log_of_config_yaml_unless_the_environment_names_one(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(5)
        config.write_text(f"forward: udp://127.0.0.1:{log.getsockname()[1]}\n")
        assert here(*words(tmp_path, "memory.total_bytes > 0")).code == 0
        assert b"ledger=1" in log.recv(4096)
        monkeypatch.setenv("RUNBOOK_FORWARD", "nowhere")
        here(*words(tmp_path)).refused(2, "'nowhere' is no log", hint="journald")
