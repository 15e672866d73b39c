"""Every recorded host against every shipped runbook: what is said of it stands beside it, in NAME.plan.txt.

UPDATE_GOLDEN=1 writes these files anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.hosts.told import HERE, judged, told

from memrunbook.core.plan.judged import Judged
from memrunbook.runtime.masked_answers import masked
from memrunbook.runtime.masking import Masks
from memrunbook.transports.shared.bundle import SUFFIX, bundle_of, bundles, read_bundle

RECORDED = {path.name.removesuffix(SUFFIX): path for path in bundles(HERE)}
IDENTIFIER = re.compile(r"[0-9a-f]{12,64}")
MOST_BYTES, ALL_BYTES = 200 << 10, 3 << 20
HERE_ONLY = ("/work/", "/root/.cache", "/tmp/", "memrunbook-lab")


@pytest.fixture(scope="module")
def all_judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """Every recording, each judged as by `diagnose`."""
    return dict(zip(RECORDED, judged(RECORDED, tmp_path_factory.mktemp("state")), strict=True))


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_said_of_a_recorded_host(name: str, all_judged: dict[str, Judged]) -> None:
    golden, said = HERE / f"{name}.plan.txt", told(all_judged[name])
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(said, encoding="utf-8")
    assert golden.exists(), f"{golden.name} is not there: UPDATE_GOLDEN=1 writes it"
    assert said == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECORDED)
def test_masked_it_is_judged_the_same(name: str, all_judged: dict[str, Judged], tmp_path: Path) -> None:
    masks, bundle = Masks(), tmp_path / f"{name}.txt"
    samples = [masked(sample, masks, name) for sample in read_bundle(RECORDED[name])]
    text = bundle_of(samples, ())
    assert [old for old in masks.given if re.search(rf"(?<![\w-]){re.escape(old)}(?![\w-])", text)] == []
    bundle.write_text(text, encoding="utf-8")
    [again] = judged({name: bundle}, tmp_path / "state")
    said = told(again)
    for old, new in sorted(masks.given.items(), key=lambda pair: -len(pair[1])):
        said = re.sub(rf"{re.escape(new)}(?!\d)", old.replace("\\", r"\\"), said)
    assert IDENTIFIER.sub("ID", said) == IDENTIFIER.sub("ID", told(all_judged[name]))


def test_no_golden_file_is_left_over_and_the_recordings_stay_small() -> None:
    assert {path.name.removesuffix(".plan.txt") for path in HERE.glob("*.plan.txt")} == set(RECORDED)
    sizes = {name: path.stat().st_size for name, path in RECORDED.items()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert sum(sizes.values()) <= ALL_BYTES


@pytest.mark.parametrize("name", RECORDED)
def test_nothing_of_the_machine_that_recorded_it_is_in_it(name: str) -> None:
    text = RECORDED[name].read_text(encoding="utf-8")
    assert [words for words in HERE_ONLY if words in text] == []
