"""Types are learned before there is a second thread: two that decode one at once would end the process."""

from __future__ import annotations

import gc
import subprocess
import sys

from msgspec import Struct

from memrunbook.app.learning import learn

TOGETHER = """
import threading
from memrunbook.app.learning import learn_all
known = learn_all()
import msgspec
from memrunbook.core.run.record import Envelope
from memrunbook.core.run.placed import Placed
started = threading.Barrier(8)
def reads():
    started.wait()
    for kind in (Envelope, Placed):
        for _ in range(200):
            try:
                msgspec.convert({"type": "run", "event": "asked"}, type=kind)
            except msgspec.ValidationError:
                pass
threads = [threading.Thread(target=reads) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(known)
"""


class Odd(Struct):
    """Nothing is ever decoded to this: what it holds cannot be told apart."""

    either: set[int] | list[int]


def test_eight_threads_that_decode_at_once_all_come_to_their_end() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", TOGETHER], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 200


def test_a_new_type_is_learned_with_the_others_and_one_that_cannot_be_is_passed_over() -> None:
    gc.collect()  # types of other tests that are gone
    before = learn()

    class New(Struct):
        figure: int

    assert learn() == before + 1
    assert New(1).figure == 1
    assert Odd([1]).either == [1]
