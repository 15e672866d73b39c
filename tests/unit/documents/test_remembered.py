"""config.yaml: the store, the log that is forwarded to and the limits, with their mistakes at line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app.stored import Stored
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.plan.limits import Limits
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.units import DAY, HOUR, MINUTE
from memrunbook.documents.config import Config, load_config
from memrunbook.documents.remembered import StoreAt


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


def problems(path: Path) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        load_config(path)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("store: postgresql://ada@db/x\n", "postgresql://ada@db/x"),
        ("store: postgres://db/x\n", "postgres://db/x"),
        ("store: /srv/s.sqlite\n", "/srv/s.sqlite"),
        ("store: ~/s.sqlite\n", f"{Path.home()}/s.sqlite"),
    ],
)
def test_a_store_is_a_server_or_a_file(tmp_path: Path, text: str, place: str) -> None:
    assert load_config(written(tmp_path, text)).store == StoreAt(place)


def test_a_relative_file_lies_beside_it(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "store: s.sqlite\n")).store == StoreAt(str(tmp_path / "s.sqlite"))


def test_the_password_of_a_server_stands_in_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    path = written(tmp_path, "store: {url: postgresql://ada@db/x, password_file: secret}\n")
    assert "there is no file" in problems(path)[0].message
    secret = tmp_path / "secret"
    secret.touch(0o640)
    assert load_config(path).store == StoreAt("postgresql://ada@db/x", secret)
    secret.chmod(0o644)
    problem = problems(path)[0]
    assert (problem.where, problem.message) == (f"{path}:1:52", f"everybody may read {secret}")
    assert problem.hint == f"chmod o= {secret}"


@pytest.mark.parametrize(
    ("text", "patience"),
    [
        ("store: {url: postgresql://db/x, patience: 15m}\n", 900.0),
        ("store: {url: postgresql://db/x, patience: 0s}\n", 0.0),
        ("store: {url: postgresql://db/x}\n", 300.0),
        ("store: postgresql://db/x\n", 300.0),
        ("store: /srv/s.sqlite\n", 0.0),
        ("{}\n", 0.0),
    ],
)
def test_a_server_that_is_away_is_waited_for_and_a_file_is_not(tmp_path: Path, text: str, patience: float) -> None:
    assert Stored(tmp_path, load_config(written(tmp_path, text))).patience == patience


@pytest.mark.parametrize("url", ["postgresql://ada:s3cr/et@db/x", "postgresql://ada@db/x?password=s3cr/et"])
def test_a_password_in_it_must_not_lie_open(tmp_path: Path, url: str) -> None:
    path = written(tmp_path, f"store: {url}\n", 0o644)
    assert "everybody may read the password" in problems(path)[0].message
    assert "s3cr/et" not in str(problems(path))
    path.chmod(0o640)
    assert load_config(path).store.place == url


def test_nothing_said_leaves_everything_as_it_is(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "limits: {}\n")) == Config()
    assert load_config(written(tmp_path, "{}\n")).limits == Limits()


@pytest.mark.parametrize("place", ["journald", "syslog", "udp://log:514", "tcp://[::1]"])
def test_a_log_to_forward_to(tmp_path: Path, place: str) -> None:
    assert load_config(written(tmp_path, f"forward: '{place}'\n")).forward == place


def test_every_limit_can_be_set(tmp_path: Path) -> None:
    text = (
        "limits: {cool_down: 30m, most_in_run: 2, most_in_hour: 4, restart_every: 2h, most_in_week: 3, "
        "most_without_help: 1, without_help_within: 2h, storm_hosts: 5, storm_percent: 1.5, storm_within: 30m}\n"
    )
    assert load_config(written(tmp_path, text)).limits == Limits(
        cool_down=30 * MINUTE,
        most_in_run=2,
        most_in_hour=4,
        restart_every=2 * HOUR,
        most_in_week=3,
        most_without_help=1,
        without_help_within=2 * HOUR,
        storm_hosts=5,
        storm_percent=1.5,
        storm_within=30 * MINUTE,
    )
    assert set(Limits.__struct_fields__) == {part.partition(":")[0].strip() for part in text[9:-2].split(",")}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("store: mysql://ada:s3cret@db/x\n", ":1:8", "'mysql://ada@db/x' is no store"),
        ("store: postgres\n", ":1:8", "'postgres' is no store"),
        ("store: ''\n", ":1:8", "'' is no store"),
        ("store: 3\n", ":1:8", "must be text"),
        ("store: {url: /x/s.sqlite, password_file: x}\n", ":1:14", "'/x/s.sqlite' is no server"),
        ("store: {url: postgresql://db/x, patience: 2h}\n", ":1:43", "must be at most 60 min, is 2 h"),
        ("store: {password_file: x}\n", ":1:8", '"url" is missing'),
        ("forward: rsyslog\n", ":1:10", "'rsyslog' is no log to forward to"),
        ("forward: udp://log:many\n", ":1:10", "is no log to forward to"),
        ("forward: ''\n", ":1:10", "is no log to forward to"),
        ("limits: {cool_down: 0s}\n", ":1:21", "must be from 60 s to 7 d, is 0.0 s"),
        ("limits: {cool_down: 15}\n", ":1:21", "a duration without a unit"),
        ("limits: {storm_within: 2h}\n", ":1:24", "must be from 60 s to 60 min, is 2 h"),
        ("limits: {most_in_run: 0}\n", ":1:23", "must be at least 1"),
        ("limits: {most_in_week: 1000}\n", ":1:24", "must be at most 100"),
        ("limits: {storm_percent: 0}\n", ":1:25", "must be more than 0"),
        ("limits: {storm_hosts: .inf}\n", ":1:23", "must be a whole number"),
        ("limits: {cooldown: 30m}\n", ":1:10", '"cooldown" is not known here'),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, where: str, message: str) -> None:
    path = written(tmp_path, text)
    problem = problems(path)[0]
    assert problem.where == f"{path}{where}"
    assert message in problem.message
    assert "s3cret" not in str(problem)


def test_every_limit_that_makes_no_sense_is_told_at_once(tmp_path: Path) -> None:
    assert len(problems(written(tmp_path, "limits: {cool_down: 1s, restart_every: 30d, storm_within: 1s}\n"))) == 3


def test_how_long_the_history_is_kept(tmp_path: Path) -> None:
    assert Config().history == load_config(written(tmp_path, "defaults: {}\n")).history == Keeping()
    assert load_config(written(tmp_path, "history: {keep: false}\n")).history is None
    said = load_config(written(tmp_path, "history: {every: 5m, fine: 7d, coarse: 90d}\n")).history
    assert said == Keeping(fine=7.0 * DAY, coarse=90.0 * DAY, apart=5.0 * MINUTE)


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        ("every: 1s", "1:18", "must be from 60 s to 24 h, is 1.0 s"),
        ("fine: 1h", "1:17", "must be from 24 h to 395 d, is 60 min"),
        ("fine: 30d, coarse: 20d", "1:1", "coarse is shorter than fine"),
    ],
)
def test_times_that_make_no_sense_are_refused(tmp_path: Path, said: str, place: str, message: str) -> None:
    path = written(tmp_path, f"history: {{{said}}}\n")
    (problem,) = problems(path)
    assert (problem.where, problem.message) == (f"{path}:{place}", message)
