"""Bundles as files: which are read, which are refused and with which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.core.reading.fact import Answer, Sample
from memrunbook.runtime import named_file
from memrunbook.transports.shared.bundle import LARGEST, bundle_of, bundles, head, read_bundle, samples_of

SAMPLE = Sample(before=1.0, after=2.0, answers={"/a": Answer("x\n")}, complete=True)
WHOLE = "@@case bundle 2\n@@case begin 1\n@@case file /a\nx\n@@case end 2\n"


def written(folder: Path, content: bytes | str) -> Path:
    file = folder / "b.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_what_was_written_is_read_back_whatever_its_head_says(tmp_path: Path) -> None:
    text = bundle_of([SAMPLE, SAMPLE], ["recorded 2026-11-29 by memrunbook 1", "hides secrets"])
    assert text.startswith(
        f"{head()}@@case recorded 2026-11-29 by memrunbook 1\n@@case hides secrets\n@@case begin 1.0"
    )
    assert read_bundle(written(tmp_path, text)) == [SAMPLE, SAMPLE]
    assert samples_of(text) == [SAMPLE, SAMPLE]


def test_a_sample_that_the_host_did_not_end_is_read(tmp_path: Path) -> None:
    [sample] = read_bundle(written(tmp_path, "@@case begin 1\n@@case file /a\nx\n@@case cut\n"))
    assert (sample.complete, sample.text("/a")) == (False, "x\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no recorded sample"),
        (b"hello\n", "holds no recorded sample"),
        (bytes(range(256)) * 50, "holds no recorded sample"),
        (b"@@case bundle 3\n" + WHOLE.encode(), "a bundle of version 3; this memrunbook reads versions up to 2"),
        (b"@@case bundle 999999999\n", "a bundle of version 999999999"),
        (WHOLE[:-20], "ends in the middle of a sample"),
        (WHOLE + "@@case begin 6\n@@case file /a\nhalf of a li", "ends in the middle of a sample"),
        (WHOLE + "@@case beg", "ends in the middle of a sample"),
    ],
)
def test_what_is_no_whole_bundle_is_refused_with_what_is_wrong(
    content: bytes | str, words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, content)
    with pytest.raises(UsageError, match=words) as refused:
        read_bundle(file)
    assert (refused.value.where, bool(refused.value.hint)) == (str(file), True)


def test_bytes_that_are_no_text_are_read_as_escapes(tmp_path: Path) -> None:
    [sample] = read_bundle(written(tmp_path, b"@@case begin 1\n@@case file /a\n\xff\x00\n@@case end 2\n"))
    assert sample.text("/a") == "\\xff\0\n"


def test_what_is_too_large_or_no_file_or_not_there_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_file, "PATIENCE", 0.1)
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("huge", "larger than 64 MiB"),
        ("pipe", "nothing came out of this pipe"),
        ("none", "cannot be read: no such file"),
    ):
        with pytest.raises(UsageError, match=words):
            read_bundle(tmp_path / name)


def test_more_samples_than_a_watch_of_days_has_are_refused(tmp_path: Path) -> None:
    empty = b"@@case begin 1\n@@case end 2\n"
    assert len(read_bundle(written(tmp_path, empty * 20_000))) == 20_000
    with pytest.raises(UsageError, match="more than 20,000 samples"):
        read_bundle(written(tmp_path, empty * 20_001))
    with pytest.raises(UsageError, match="500,000 answers"):
        read_bundle(written(tmp_path, b"@@case begin 1\n" + b"@@case file /a\nx\n" * 500_000 + b"@@case end 2\n"))


def test_of_a_folder_the_recordings_are_found_by_what_they_begin_with(tmp_path: Path) -> None:
    for name in ("web2.txt", "web1.txt", "db.example.com"):
        (tmp_path / name).write_text(WHOLE)
    (tmp_path / ".hidden.txt").write_text(WHOLE)
    (tmp_path / "notes.txt").write_text("to do\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    assert [path.name for path in bundles(tmp_path)] == ["db.example.com", "web1.txt", "web2.txt"]
    assert bundles(tmp_path / "web1.txt") == [tmp_path / "web1.txt"]
    assert bundles(tmp_path / "none") == [tmp_path / "none"]
    with pytest.raises(UsageError, match="no recording is in this folder"):
        bundles(tmp_path / "folder")
