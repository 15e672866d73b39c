"""Does one piece of work on many hosts at once, and hands the results back in the hosts' order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

H = TypeVar("H")
R = TypeVar("R")


def each(hosts: Sequence[H], work: Callable[[H], R], at_once: int) -> list[R]:
    """The result of `work` for each host. A single host is worked on in this thread, so that Ctrl-C reaches it."""
    if len(hosts) == 1:
        return [work(hosts[0])]
    with ThreadPoolExecutor(max(1, min(at_once, len(hosts)))) as pool:
        futures: list[Future[R]] = [pool.submit(work, host) for host in hosts]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
