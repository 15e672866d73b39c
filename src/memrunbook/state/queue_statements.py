"""What a worker asks of procrastinate's tables itself: each end of a job is fenced by who began it, and how often."""

from __future__ import annotations

TASK = "memrunbook.part"
"""The only task there is, by procrastinate's name for it."""
_TOLD = """SELECT pg_notify('procrastinate_queue_v1#' || queue_name, '{"type": "job_inserted", "job_id": 0}') FROM"""
_MINE = "id = %(job)s AND status = 'doing' AND attempts = %(attempts)s AND worker_id = %(worker)s"
_STALLED = """id = %(job)s AND status = 'doing' AND attempts = %(attempts)s AND (worker_id IS NULL OR worker_id IN
 (SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => %(silence)s)))"""
_PUT_BACK = """
WITH mine AS (SELECT id, queueing_lock FROM procrastinate_jobs WHERE WHOSE FOR UPDATE),
twice AS (DELETE FROM procrastinate_jobs AS jobs USING mine WHERE jobs.id = mine.id AND EXISTS (
 SELECT FROM procrastinate_jobs AS other WHERE other.queueing_lock = mine.queueing_lock AND other.status = 'todo')
 RETURNING jobs.id, jobs.queue_name),
back AS (UPDATE procrastinate_jobs AS jobs SET status = 'todo', worker_id = NULL, attempts = jobs.attempts + 1,
 args = jobs.args || jsonb_build_object('failures', %(failures)s::int),
 scheduled_at = now() + make_interval(secs => %(seconds)s)
 FROM mine WHERE jobs.id = mine.id AND jobs.id NOT IN (SELECT id FROM twice) RETURNING jobs.queue_name)
TOLD (SELECT queue_name FROM back UNION SELECT queue_name FROM twice) AS waiting""".replace("TOLD", _TOLD)
GIVEN_BACK = _PUT_BACK.replace("WHOSE", _MINE)
"""Puts a job back, or lets it go where another for its part waits; no more than once, whoever tries."""
RESCUED = _PUT_BACK.replace("WHOSE", _STALLED)
"""The same for the job of a worker that gave no sign of life for `silence` seconds."""
DONE = """
WITH gone AS (DELETE FROM procrastinate_jobs WHERE MINE RETURNING lock)
TOLD (SELECT DISTINCT queue_name FROM procrastinate_jobs JOIN gone USING (lock) WHERE status = 'todo') AS waiting
""".replace("MINE", _MINE).replace("TOLD", _TOLD)
"""Ends a job; tells of those that waited for its lock."""
BEATS = """
WITH alive AS (
 INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE VALUES (%(worker)s, now())
 ON CONFLICT (id) DO UPDATE SET last_heartbeat = now())
SELECT id, attempts FROM procrastinate_jobs
WHERE status = 'doing' AND worker_id = %(worker)s AND id <> ALL(%(known)s::bigint[])"""
"""A sign of life, also of one that was taken for dead; the jobs it was given in an answer that never came."""
LEFT = "DELETE FROM procrastinate_workers WHERE id = %(worker)s RETURNING id"
"""A worker has stopped."""
