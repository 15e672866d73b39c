"""DBOS: each job a workflow with one step, in a queue."""

from __future__ import annotations

import sys
import threading

from dbos import DBOS, DBOSClient

from bench.queues.common import FORKS, body, go, serve


def main(what: str, url: str) -> None:
    if what == "client":
        client = DBOSClient(system_database_url=url)
        options = {"queue_name": "here", "workflow_name": "part", "app_version": "1"}
        serve(lambda parts: [client.enqueue(options, part) for part in parts])
        return
    name = sys.argv[6] if what == "work" else "maker"
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "executor_id": name,
            "application_version": "1",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )
    step = DBOS.step()(body)

    def part(name: str) -> None:
        step(name)

    DBOS.workflow(name="part")(part)
    if what == "work":
        go()
    DBOS.launch()
    DBOS.register_queue("here", worker_concurrency=FORKS)
    if what == "work":
        threading.Event().wait()
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:3])
