"""What is typed of batches, beside what config.yaml says of them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from memrunbook.app import choose
from memrunbook.cli.options import HOSTS, common
from memrunbook.cli.rolling import BATCHES, RETRY, ROLLOUT, kept_true, with_defaults
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.core.host import parse_hosts
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.run.batches import Rollout
from memrunbook.documents.config import Defaults


def read(*words: str, group: str = "all") -> Rollout:
    """The words as a command with these options reads them."""
    groups = {"all": ROLLOUT, "batches": BATCHES, "retry": RETRY}

    @click.command()
    @common(groups[group])
    def command(rollout: Rollout) -> Rollout:
        return rollout

    found = command.main(list(words), standalone_mode=False)
    assert isinstance(found, Rollout)
    return found


def test_sizes_stand_between_commas_and_blanks_are_nothing() -> None:
    assert read("--serial", " 1, 10% ,50%", "--max-failures", " 20% ").serial == ("1", "10%", "50%")
    assert read("--max-failures", " 20% ").max_failures == "20%"


def test_a_file_is_the_same_wherever_the_run_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read("--retry-file", "left").retry_file == str(tmp_path / "left")
    assert read("--retry-file", "left", group="retry").retry_file == str(tmp_path / "left")
    (tmp_path / "link").symlink_to("left")
    assert read("--retry-file", "link").retry_file == str(tmp_path / "link"), "a link is written as it is named"


@pytest.mark.parametrize("group", ["all", "batches", "retry"])
def test_nothing_typed_leaves_all_to_config_yaml(group: str) -> None:
    assert read(group=group) == Rollout()


@pytest.mark.parametrize("words", [("--serial", ""), ("--serial", "1,,2"), ("--serial", "0"), ("--max-failures", "x")])
def test_what_is_no_number_of_hosts_names_its_option(words: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as told:
        read(*words)
    assert told.value.where == words[0]


@pytest.mark.parametrize("most", ["0", "0%", " "])
def test_no_failure_at_all_would_begin_no_host(most: str) -> None:
    with pytest.raises(UsageError, match="may not begin any host") as told:
        read("--max-failures", most)
    assert "1 ends it at the first failure" in told.value.hint


USUAL = Defaults(serial=("1", "50%"), max_failures="3")


@pytest.mark.parametrize(
    ("typed", "serial", "most"),
    [
        (Rollout(), ("1", "50%"), "3"),
        (Rollout(serial=("5",)), ("5",), "3"),
        (Rollout(max_failures="1"), ("1", "50%"), "1"),
        (Rollout(serial=("100%",), max_failures="100%"), ("100%",), "100%"),
    ],
)
def test_what_is_typed_stands_instead_of_what_config_yaml_says(
    typed: Rollout, serial: tuple[str, ...], most: str
) -> None:
    found = with_defaults(Rollout(serial=typed.serial, max_failures=typed.max_failures, retry_file="left"), USUAL)
    assert found == Rollout(serial=serial, max_failures=most, retry_file="left")


def left_by_ctrl_c(file: Path, *words: str, known: str = "") -> str:
    """What is in the retry file when Ctrl-C is pressed while the hosts of a command with these words are read."""

    @click.command()
    @common(HOSTS)
    def command(targets: Targets) -> None:
        with kept_true(str(file), targets) as hosts:
            hosts.extend(parse_hosts([known]) if known else ())
            raise KeyboardInterrupt

    with pytest.raises(click.Abort):
        command.main(list(words), standalone_mode=False)
    return file.read_text()


def test_whoever_interrupts_before_the_run_begins_finds_no_hosts_of_another_run(tmp_path: Path) -> None:
    file = tmp_path / "left"
    file.write_text("web7\n")
    assert left_by_ctrl_c(file, "--host", "web1,web2", known="web1,web2") == "web1\nweb2\n"
    assert left_by_ctrl_c(file, "--host", f"@{file}") == "web1\nweb2\n", "they are read from there: it names them all"
    content = left_by_ctrl_c(file, "--host", "web1")
    assert content.startswith("# interrupted before the hosts were known")
    with pytest.raises(UsageError, match="the file names no host"):
        choose(Inventory(), [f"@{file}"])
