"""What a worker says of a part beside the records of its journal: waits once, remarks with host and node."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import msgspec

from memrunbook.app.part_telling import PartStop, PartTold
from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedRun
from memrunbook.state.store.parts import TakenPart, WorkerParts


def test_a_wait_is_told_once_and_a_remark_names_host_and_node() -> None:
    taken = TakenPart(id="p", order="o", hosts=(Host("web1"),), placed=cast("PlacedRun", None), attempt=1, number=3)
    told = PartTold(taken, cast("WorkerParts", SimpleNamespace(node="node-1")), PartStop())
    told.waits("web1", "the peer web2")
    told.waits("web1", "the peer web2")
    told.remark("the history cannot be written", "free space there")
    telling = told.begun()
    assert telling is not None
    said = [msgspec.json.decode(line) for line in telling.lines]
    assert [one["event"] for one in said] == ["said", "said"]
    assert said[0]["waits"] == "the peer web2 (on node-1)"
    assert (said[1]["remark"], said[1]["hint"]) == (
        "web1, on node-1: the history cannot be written", "free space there",
    )  # fmt: skip
    assert telling.number == 3, "behind what earlier attempts have told"
    told.heard(telling, None)
    again = told.begun()
    assert again == telling, "what was not told is told again"
