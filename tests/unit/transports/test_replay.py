"""Recording a real shell and replaying it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.core.reading.fact import Answer, Command, Question, Read, Sample, Unavailable, Walk
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.transports.local import LocalConnector
from memrunbook.transports.record import RecordConnector
from memrunbook.transports.replay import ReplayConnector, ReplaySession

ASKS = (Read("/proc/version"), Command("hello", ("printf", "@@case end 1\\n")), Read("/none"))
FIRST = "@@case begin 1\n@@case file /load\n1\n@@case file /name\nbox\n@@case file /d/a\nx\n@@case end 2\n"
SECOND = "@@case begin 6\n@@case file /load\n2\n@@case end 7\n"
MORE = "@@case begin 8\n@@case file /proc/7/stat\nseven\n@@case end 9\n"
STATE: tuple[Question, ...] = (Read("/load", each=True), Read("/name"), Read("/d/*"))
LATER = Read("/proc/7/stat")


def opened(folder: Path, text: str) -> ReplaySession:
    bundle = folder / "bundle.txt"
    bundle.write_text(text, encoding="utf-8")
    return ReplayConnector(bundle).connect()


def answered(replay: ReplaySession, *asks: Question, repeat: bool = False) -> Sample:
    output = replay.execute(build_probe(asks, repeat=repeat), ("n",))
    sample = read_sample(output.text, "n")
    assert (output.status, output.lost) == ((0, False) if sample.complete else (None, True))
    return sample


def test_a_recording_replays_what_the_host_said(tmp_path: Path) -> None:
    file = io.StringIO()
    connector = RecordConnector(LocalConnector("never"), file)
    recorder = connector.connect()
    script = build_probe(ASKS, repeat=False)
    first = read_sample(recorder.execute(script, ("n1",)).text, "n1")
    assert recorder.execute("echo not a probe").text == "not a probe\n"
    second = read_sample(recorder.execute(script, ("n2",)).text, "n2")
    assert recorder.identity.address == "local"
    assert isinstance(recorder.root, bool)
    recorder.close()
    connector.connect().close()

    assert file.getvalue().startswith("@@case bundle 2\n@@case begin ")
    assert file.getvalue().count(" bundle ") == 1
    replay = opened(tmp_path, file.getvalue())
    for sample in (first, second):
        again = read_sample(replay.execute(script, ("other",)).text, "other")
        assert again.answers["/proc/version"] == sample.answers["/proc/version"]
        assert again.answers["/none"] == sample.answers["/none"]
        assert again.text("hello") == "@@case_end 1\n"
        assert (again.before, again.after, again.complete) == (sample.before, sample.after, True)
    replay.close()


@pytest.mark.parametrize("head", ["", "@@case bundle 1\n", "@@case bundle 2\n"])
def test_every_version_is_read(head: str, tmp_path: Path) -> None:
    replay = opened(tmp_path, head + FIRST + SECOND)
    assert answered(replay, *STATE).text("/load") == "1\n"
    assert answered(replay, *STATE, repeat=True).text("/load") == "2\n"


def test_a_bundle_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="version 3; this memrunbook reads versions up to 2"):
        opened(tmp_path, "@@case bundle 3\n" + FIRST)


def test_what_a_bundle_does_not_answer_is_absent(tmp_path: Path) -> None:
    sample = answered(
        opened(tmp_path, FIRST), *STATE, Read("/none"), Read("/none/*"), Walk("w", ":"), Command("c", ("c",))
    )
    assert sample.answers["/name"] == Answer("box\n")
    problems = {key: answer.problem.reason for key, answer in sample.answers.items() if answer.problem}
    assert problems == {"/none": "absent", "w": "absent", "c": "absent"}


def test_a_single_sample_is_a_first_look_without_rates(tmp_path: Path) -> None:
    replay = opened(tmp_path, FIRST)
    assert answered(replay, *STATE).complete
    output = replay.execute(build_probe(STATE, repeat=True), ("n",))
    assert (output.status, output.text, output.lost) == (None, "", False)  # the recording ended, no host is gone


@pytest.mark.parametrize("order", [FIRST + SECOND + MORE, FIRST + MORE + SECOND, MORE + FIRST + SECOND])
def test_an_answer_is_found_by_its_question_not_by_its_place(order: str, tmp_path: Path) -> None:
    replay = opened(tmp_path, order)
    assert answered(replay, *STATE).text("/load") == "1\n"
    assert answered(replay, *STATE, repeat=True).text("/load") == "2\n"
    assert answered(replay, LATER).text("/proc/7/stat") == "seven\n"


def test_who_asks_once_more_before_all_samples_are_used_gets_his_answer(tmp_path: Path) -> None:
    replay = opened(tmp_path, FIRST + SECOND + MORE)
    answered(replay, *STATE)
    assert answered(replay, LATER).text("/proc/7/stat") == "seven\n"


def test_what_one_sample_leaves_open_another_tells(tmp_path: Path) -> None:
    replay = opened(tmp_path, SECOND + FIRST)
    sample = answered(replay, *STATE)
    assert {key: answer.text for key, answer in sample.answers.items()} == {
        "/load": "2\n",
        "/name": "box\n",
        "/d/a": "x\n",
    }
    assert (sample.before, sample.after) == (6.0, 7.0)


def test_the_state_stays_when_all_samples_are_used(tmp_path: Path) -> None:
    replay = opened(tmp_path, FIRST)
    answered(replay, *STATE)
    again = answered(replay, *STATE)
    assert (again.text("/name"), again.before, again.complete) == ("box\n", 1.0, True)
    assert answered(replay, LATER).answers["/proc/7/stat"].problem == Unavailable(
        "absent", "/proc/7/stat: no such file"
    )


def test_a_replay_carries_out_nothing(tmp_path: Path) -> None:
    replay = opened(tmp_path, "@@case begin 1\n@@case file /a\nx\n@@case cut\n")
    assert replay.execute("reboot").lost
    assert not replay.root
    assert replay.identity.address == "replay"
    cut = answered(replay, Read("/a"), Read("/b"))
    assert (cut.complete, cut.text("/a"), "/b" in cut.answers) == (False, "x\n", False)


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ReplayConnector(tmp_path / "none").connect()
    with pytest.raises(UsageError, match="no recorded sample"):
        opened(tmp_path, "hello\n")
