"""pgqueuer."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import psycopg
from pgqueuer import PgQueuer, PsycopgDriver, Queries

from bench.queues.common import FORKS, body, go, serve, silence


async def connected(url: str) -> PsycopgDriver:
    return PsycopgDriver(await psycopg.AsyncConnection.connect(url, autocommit=True))


async def work(url: str) -> None:
    worker = PgQueuer(await connected(url))

    async def part(job: Any) -> None:
        await asyncio.to_thread(body, job.payload.decode())

    worker.entrypoint("part")(part)
    go()
    seconds = timedelta(seconds=silence())
    await worker.qm.run(batch_size=FORKS, max_concurrent_tasks=2 * FORKS, heartbeat_timeout=seconds)


async def install(url: str) -> None:
    await Queries(await connected(url)).install()


def main(what: str, url: str) -> None:
    if what == "work":
        asyncio.run(work(url))
    elif what == "make":
        asyncio.run(install(url))
    else:
        with asyncio.Runner() as runner:
            queries = Queries(runner.run(connected(url)))

            async def defer(parts: list[str]) -> None:
                await queries.enqueue(["part"] * len(parts), [part.encode() for part in parts], [0] * len(parts))

            serve(lambda parts: runner.run(defer(parts)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
