"""The floor: a table, SKIP LOCKED, and a transaction that is as long as the job."""

from __future__ import annotations

import sys
import threading

import psycopg

from bench.queues.common import FORKS, body, go, serve

TAKE = "SELECT id, part FROM bare ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"


def hand(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as told, psycopg.connect(url) as connection:
        told.execute("LISTEN bare")
        while True:
            row = connection.execute(TAKE).fetchone()
            if row is not None:
                body(row[1])
                connection.execute("DELETE FROM bare WHERE id = %s", (row[0],))
            connection.commit()
            if row is None:
                for _ in told.notifies(timeout=5.0, stop_after=1):
                    pass


def main(what: str, url: str) -> None:
    if what == "work":
        go()
        hands = [threading.Thread(target=hand, args=(url,)) for _ in range(FORKS)]
        for one in hands:
            one.start()
        for one in hands:
            one.join()
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, part text)")

    def defer(parts: list[str]) -> None:
        with connection.transaction():
            connection.execute("INSERT INTO bare (part) SELECT unnest(%s::text[])", (parts,))
            connection.execute("NOTIFY bare")

    if what == "client":
        serve(defer)


if __name__ == "__main__":
    main(*sys.argv[1:3])
