"""procrastinate as it comes: its own worker, deleting what succeeded, jobs without locks; rescue by a periodic task."""

from __future__ import annotations

import asyncio
import sys

import procrastinate
from procrastinate.schema import SchemaManager
from procrastinate.types import JSONDict

from bench.queues.common import FORKS, body, go, serve, silence


def application(url: str) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=4))
    app.task(name="body", queue="here")(body)

    async def rescue(timestamp: int) -> None:
        del timestamp
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silence()):
            await app.job_manager.retry_job(job)

    if sys.argv[1] == "work":
        app.periodic(cron="* * * * * */2")(app.task(name="rescue", queue="here")(rescue))
    return app


async def work(url: str) -> None:
    app = application(url)
    async with app.open_async():
        go()
        await app.run_worker_async(
            concurrency=FORKS,
            delete_jobs="successful",
            update_heartbeat_interval=silence() / 3,
            stalled_worker_timeout=60,
        )


def main(what: str, url: str) -> None:
    if what == "work":
        asyncio.run(work(url))
    with application(url).open() as app:
        if what == "make":
            SchemaManager(app.connector).apply_schema()
        else:
            serve(lambda parts: app.tasks["body"].batch_defer(*[JSONDict(part=part) for part in parts]))


if __name__ == "__main__":
    main(*sys.argv[1:3])
