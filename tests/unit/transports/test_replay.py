"""Recording a real shell and replaying it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.core.reading.fact import Command, Read
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.transports.local import LocalConnector
from memrunbook.transports.record import RecordConnector
from memrunbook.transports.replay import ReplayConnector

ASKS = (Read("/proc/version"), Command("hello", ("printf", "@@case end 1\\n")), Read("/none"))


def test_a_recording_replays_what_the_host_said(tmp_path: Path) -> None:
    file = io.StringIO()
    recorder = RecordConnector(LocalConnector("never"), file).connect()
    script = build_probe(ASKS, repeat=False)
    first = read_sample(recorder.execute(script, ("n1",)).text, "n1")
    assert recorder.execute("echo not a probe").text == "not a probe\n"
    second = read_sample(recorder.execute(script, ("n2",)).text, "n2")
    assert recorder.identity.address == "local"
    assert isinstance(recorder.root, bool)
    recorder.close()

    bundle = tmp_path / "bundle.txt"
    bundle.write_text(file.getvalue(), encoding="utf-8")
    replay = ReplayConnector(bundle).connect()
    for sample in (first, second):
        again = read_sample(replay.execute(script, ("other",)).text, "other")
        assert again.answers["/proc/version"] == sample.answers["/proc/version"]
        assert again.answers["/none"] == sample.answers["/none"]
        assert again.text("hello") == "@@case_end 1\n"
        assert (again.before, again.after, again.complete) == (sample.before, sample.after, True)
    assert replay.execute(script, ("other",)).lost
    replay.close()


def test_a_replay_carries_out_nothing(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.txt"
    bundle.write_text("@@case begin 1\n@@case file /a\nx\n@@case cut\n", encoding="utf-8")
    replay = ReplayConnector(bundle).connect()
    assert replay.execute("reboot").lost
    assert not replay.root
    assert replay.identity.address == "replay"
    cut = replay.execute(build_probe([], repeat=False), ("n",))
    assert (cut.status, cut.lost, read_sample(cut.text, "n").text("/a")) == (None, True, "x\n")


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ReplayConnector(tmp_path / "none").connect()
    (tmp_path / "text").write_text("hello\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no recorded sample"):
        ReplayConnector(tmp_path / "text").connect()
