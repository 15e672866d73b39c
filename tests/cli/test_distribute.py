"""Runs that workers carry out: ordered, followed, cut off and gone on with; real PostgreSQL, sshds and processes."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import apart, here, terminal, wait_for, wait_until
from tests.cluster import Cluster, own_database, shared
from tests.machines import NAME, Machines, noted

pytestmark = pytest.mark.slow
ONE, TWO = "web1", "web2"
BOTH = [f"{host}-{step}" for host in (ONE, TWO) for step in ("one", "two")]
DONE = "memory.total_bytes > 0"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Machines]]:
    with shared(tmp_path_factory.mktemp("cluster") / "machines", (ONE, TWO)) as found:
        yield found


@pytest.fixture
def cluster(there: tuple[str, Machines], tmp_path: Path) -> Cluster:
    url, found = there
    return Cluster(own_database(url), found, tmp_path)


def noting(folder: Path, where: Path, *steps: str, seconds: str = "0", risk: str = "low") -> None:
    """Writes the runbook `small`, whose steps note their host and name in `folder`/effects."""

    def script(step: str) -> str:
        note = f"$(date +%s.%N) >>{folder}/effects"
        return f"echo {NAME}-{step} begins {note}; sleep {seconds}; echo {NAME}-{step} ends {note}"

    acts = [act(step, "sh", "-c", script(step), risk=risk) for step in steps or ("one",)]
    book(where, *acts, resolved=DONE if len(acts) == 1 else "memory.available_percent > 100.0")


def test_workers_do_it_and_it_looks_as_on_one_machine(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    with cluster.worker("node-1", "--forks=1") as first, cluster.worker("node-2", "--forks=1") as second:
        words = cluster.words("run", "small", "--distribute", "--yes", hosts=(ONE, TWO))
        ran = apart(*words)
        assert ran.code == 0, ran.said[-6000:]
        assert sorted(noted(tmp_path)) == [f"{ONE}-one", f"{TWO}-one"]
        for host in (ONE, TWO):
            assert f"{host}  taking the lock of the host" in ran.err
            assert f"RESOLVED: small on {host}" in ran.out
        assert "ALL WELL: 2 hosts" in ran.out
        by = {
            host: node
            for node, one in (("node-1", first), ("node-2", second))
            for host in (ONE, TWO)
            if f" {host}: " in one.said
        }
        assert set(by) == {ONE, TWO}
    report = json.loads(here(*cluster.words("report", "last", "--json")[:-1]).out)
    assert {host["host"]: host["node"] for host in report["hosts"]} == by
    assert [change["who"] for host in report["account"]["hosts"] for change in host["changes"]] == ["root", "root"]
    told = here(*cluster.words("report", "last")[:-1])
    assert f"Done by {by[ONE]}, as run " in told.out
    assert here("audit", "verify", f"--state-dir={tmp_path / 'front'}").code == 0
    undone = here(*cluster.words("undo", "last"))
    part = next(host["part"] for host in report["hosts"] if host["host"] == ONE)
    undone.refused(5, "carried out by other control nodes", hint=f"undo {part} on {by[ONE]} ({ONE})")
    there = here("undo", part, "--dry-run", f"--state-dir={tmp_path / by[ONE]}")
    assert "1 left alone. Nothing was changed." in there.out, there.said
    here("resume", part, f"--state-dir={tmp_path / by[ONE]}").refused(5, "there is nothing to go on with")
    own = here("report", part, f"--state-dir={tmp_path / by[ONE]}")
    assert f"{report['run']}, which root@" in own.out
    assert "Part of" in own.out


def test_what_a_worker_begins_before_it_is_killed_is_done_once(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, "one", "two", seconds="3")
    with cluster.ordered("--yes", hosts=(ONE,)) as run, cluster.worker("node-1") as first:
        pass
    del run, first
    with cluster.worker("node-1") as first, cluster.ordered("--yes", hosts=(ONE,)) as run:
        wait_until(lambda: noted(tmp_path) == [f"{ONE}-one"], "the first step is under way")
        first.end(signal.SIGKILL)
        with cluster.worker("node-2") as second:
            ran = cluster.ended(run)
            assert ran.code == 3, ran.said
            assert "attempt 2" in second.said
            assert noted(tmp_path) == [f"{ONE}-one", f"{ONE}-two"]
            report = json.loads(here(*cluster.words("report", "last", "--json")[:-1]).out)
            assert [step["state"] for step in report["hosts"][0]["steps"]] == ["done", "done"]
            assert report["hosts"][0]["node"] == "node-2"
        with cluster.worker("node-1"):
            told = ["report", "last", f"--state-dir={tmp_path / 'node-1'}"]
            wait_until(lambda: "node-2 went on with it" in here(*told).out, "it is known there how it ended")
        runs = here("runs", f"--state-dir={tmp_path / 'node-1'}")
        assert runs.code == 0, runs.said


def test_a_run_whose_front_was_killed_is_attached_to_again(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, "one", "two", seconds="1")
    with cluster.worker("node-1", "--forks=1") as worker:
        with cluster.ordered("--yes", hosts=(ONE, TWO)) as run:
            wait_until(lambda: bool(noted(tmp_path)), "the first step is under way")
            run.kill()
            run.wait(10)
        reported = here(*cluster.words("report", "last")[:-1])
        assert "resume" in reported.out, reported.said
        resumed = apart(*cluster.words("resume", "last", "--yes"), f"--runbooks={cluster.books}")
        assert resumed.code == 3, resumed.said
        assert "attempt" not in worker.said
    assert sorted(noted(tmp_path, "ends")) == BOTH
    assert "--distribute" in resumed.out, "so it is done again"
    assert here("audit", "verify", f"--state-dir={tmp_path / 'front'}").code == 0
    here(*cluster.words("resume", "last")).refused(5, "there is nothing to go on with")


def test_ctrl_c_ends_parts_early_and_takes_back_those_not_begun(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, "one", "two", seconds="2")
    with cluster.worker("node-1", "--forks=1"):
        with cluster.ordered("--yes", hosts=(ONE, TWO)) as run:
            wait_until(lambda: bool(noted(tmp_path)), "the first step is under way")
            run.send_signal(signal.SIGINT)
            ran = cluster.ended(run)
        assert ran.code == 130, ran.said
        [ended] = noted(tmp_path, "ends")
        unbegun = TWO if ended == f"{ONE}-one" else ONE
        assert f"not begun: 1 host, {unbegun}: a person asked to stop" in ran.out
        resumed = apart(*cluster.words("resume", "last", "--yes"))
        assert resumed.code == 3, resumed.said
    done = noted(tmp_path)
    assert len(set(done)) == len(done), "nothing is done twice"
    # The machines are in one boot: the other one takes what was open for its own, and looks whether it was done.
    assert {f"{ONE}-two", f"{TWO}-two", ended} <= {*done}
    assert here("audit", "verify", f"--state-dir={tmp_path / 'front'}").code == 0


def test_ctrl_c_twice_leaves_the_workers_at_it(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, "one", "two", seconds="3")
    with cluster.worker("node-1") as worker:
        with cluster.ordered("--yes", hosts=(ONE,)) as run:
            wait_until(lambda: bool(noted(tmp_path)), "the first step is under way")
            run.send_signal(signal.SIGINT)
            wait_until(lambda: "again leaves at once" in (tmp_path / "run").read_text(), "it says what Ctrl-C does")
            run.send_signal(signal.SIGINT)
            ran = cluster.ended(run)
        assert ran.code == 130, ran.said
        assert "Left at once: the workers bring what they are at to its end" in ran.out
        assert "runbook resume" in ran.out
        wait_until(lambda: f"{ONE}: interrupted" in worker.said, "the worker ends it early")
        resumed = apart(*cluster.words("resume", "last", "--yes"))
        assert resumed.code == 3, resumed.said
    assert noted(tmp_path) == [f"{ONE}-one", f"{ONE}-two"]


def test_without_a_worker_nothing_is_begun_until_one_is_there(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    ran = apart(*cluster.words("run", "small", "--distribute", "--yes", hosts=(ONE, TWO)))
    ran.refused(5, "no worker of site default is there", hint="runbook worker --site default")
    assert "runbook resume" in ran.out
    with cluster.worker("node-1"):
        resumed = apart(*cluster.words("resume", "last", "--yes"))
        assert resumed.code == 0, resumed.said
    assert sorted(noted(tmp_path)) == [f"{ONE}-one", f"{TWO}-one"]


def test_a_worker_with_other_files_refuses(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    noting(tmp_path, cluster.books, "one")
    noting(tmp_path, other, "two")
    with cluster.worker("node-1", books=other):
        ran = apart(*cluster.words("run", "small", "--distribute", "--yes", hosts=(ONE,)))
    ran.refused(5, "on node-1: the runbook small is sha256:", "was ordered", hint="give every node the same files")
    assert "Said by node-1, which has begun no run for it" in ran.out
    assert noted(tmp_path) == []


def test_a_worker_that_is_stopped_waits_for_what_it_is_at(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, seconds="2")
    with cluster.worker("node-1") as worker, cluster.ordered("--yes", hosts=(ONE,)) as run:
        wait_until(lambda: bool(noted(tmp_path)), "the step is under way")
        assert worker.end() == 0
        assert f"{ONE}: resolved" in worker.said
        assert cluster.ended(run).code == 0
    assert noted(tmp_path) == [f"{ONE}-one"]


def test_a_worker_that_is_stopped_twice_hands_on(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, "one", "two", "three", seconds="2")
    with (
        cluster.worker("node-1") as first,
        cluster.ordered("--yes", hosts=(ONE,)) as run,
    ):
        wait_until(lambda: bool(noted(tmp_path)), "the first step is under way")
        with cluster.worker("node-2") as second:
            first.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "Again hands that on" in first.said, "it says what a second signal does")
            assert first.end() == 0
            assert "put back" in first.said
            ran = cluster.ended(run)
            assert ran.code == 3, ran.said
            assert "attempt 2" in second.said
    assert noted(tmp_path) == [f"{ONE}-{step}" for step in ("one", "two", "three")]


def test_two_runs_on_one_host_come_one_after_the_other(cluster: Cluster, tmp_path: Path) -> None:
    said, go = tmp_path / "order", tmp_path / "go"
    waits = f"echo begins >>{said}; until [ -e {go} ]; do sleep 0.1; done; echo ends >>{said}"
    book(cluster.books, act("one", "sh", "-c", waits, timeout="60s"), resolved=DONE)
    second_says = tmp_path / "second"
    with (
        cluster.worker("node-1"),
        cluster.worker("node-2"),
        cluster.ordered("--yes", hosts=(ONE,), log="first") as first,
    ):
        wait_for(said)
        with cluster.ordered("--yes", hosts=(ONE,), log="second") as second:
            wait_until(lambda: f"{ONE}  waits for run " in second_says.read_text(), "the second one waits")
            go.touch()
            assert cluster.ended(first, "first").code == 0
            ran = cluster.ended(second, "second")
    assert ran.code in (0, 5), ran.said
    assert "which node-" in ran.out
    assert said.read_text().split()[:2] == ["begins", "ends"]


def test_what_cannot_be_distributed_is_refused_in_plain_words(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    run = ["run", "small", "--distribute", "--yes"]
    here(*cluster.words(*run, hosts=("local",))).refused(
        2, "another host on each control node", hint="leave --distribute"
    )
    path = ["run", str(cluster.books / "small.yaml"), "--distribute", "--yes"]
    here(*cluster.words(*path, hosts=(ONE,))).refused(2, "by its name, not by a path", hint="put it into a folder")
    here(*cluster.words(*run, hosts=(ONE,))[:-1]).refused(2, "a store on PostgreSQL", hint="--store postgresql://")
    here("apply", "plan.json", "--distribute").refused(2, "--distribute")
    secret = "parameters:\n  db_password: {type: string, default: ''}\n"
    book(cluster.books, act("one", "true"), name="secretive", more=secret)
    told = ["run", "secretive", "--distribute", "-p", "db_password=hunter2"]
    here(*cluster.words(*told, hosts=(ONE,))).refused(2, "a parameter is a secret", hint="without --distribute")
    assert not (tmp_path / "front" / "runs").exists()
    for asks in (("plan", "secretive"), ("run", "secretive", "--dry-run"), ("diagnose",)):
        asked = here(*cluster.words(*asks, "--distribute", "-p", "db_password=hunter2", hosts=(ONE,)))
        asked.refused(2, "a parameter is a secret", hint="without --distribute")
    book_path = str(cluster.books / "secretive.yaml")
    here(*cluster.words("plan", book_path, "--distribute", hosts=(ONE,))).refused(2, "by its name, not by a path")
    worker = here("worker", "--stalled-after=1s", f"--store={cluster.url}", f"--state-dir={tmp_path / 'w'}")
    worker.refused(2, "1s is too short", hint="3s or more")


def test_how_hosts_are_reached_is_the_workers_matter(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    words = cluster.words("run", "small", "--distribute", "--sudo=never", "--patience=9s", hosts=(ONE,))
    ran = here(*words)
    assert "not heeded: --sudo, --patience" in ran.err, ran.said
    looked = here(*cluster.words("diagnose", "--distribute", "--sudo=never", hosts=(ONE,)))
    assert "not heeded: --sudo" in looked.err, looked.said


def test_a_plan_is_made_by_workers_as_it_is_made_here(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    plan, own = ("plan", "small"), cluster.machines.arguments
    with cluster.worker("node-1"):
        there = {kind: here(*cluster.words(*plan, "--distribute", *kind, hosts=(ONE,))) for kind in ((), ("--json",))}
        dry = here(*cluster.words("run", "small", "--distribute", "--dry-run", hosts=(ONE,)))
        saved = here(*cluster.words(*plan, "--distribute", f"--out={tmp_path / 'plan.json'}", hosts=(ONE, TWO)))
        diagnosed = here(*cluster.words("diagnose", "--distribute", hosts=(ONE,)))
    here_made = {kind: here(*cluster.words(*plan, *kind, hosts=(ONE,)), *own) for kind in there}
    assert [one.code for one in (*there.values(), *here_made.values(), dry, saved)] == [0] * 6, dry.said
    assert shape(there[()].out) == shape(here_made[()].out) == shape(dry.out)
    step = [json.loads(made["--json",].out)["hosts"][0]["steps"] for made in (there, here_made)]
    assert step[0] == step[1]
    assert all("--distribute" in one.out.split("To carry it out:")[1] for one in (there[()], dry))
    assert "runbook apply" not in saved.out
    [command] = {
        line.partition("next: ")[2] for line in diagnosed.out.splitlines() if "next: runbook plan small" in line
    }
    assert "--distribute" in command
    assert {one["name"] for one in json.loads((tmp_path / "plan.json").read_text())["hosts"]} == {ONE, TWO}
    assert noted(tmp_path) == []


def test_what_helps_a_host_that_a_worker_cannot_reach_is_done_on_that_node(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    nowhere = "127.0.0.9:1"
    with cluster.worker("node-1"):
        for asks in (("diagnose",), ("plan", "small")):
            told = here(*cluster.words(*asks, "--distribute", hosts=(nowhere,)))
            assert (told.code, "hint: on node-1: the host is up; is sshd running" in told.said) == (4, True), told.said


def shape(page: str) -> list[str]:
    """The lines without figures, which differ by a moment, and without commands: they name how hosts are reached."""
    shown = [line for line in page.splitlines() if "runbook " not in line]
    return [re.sub(r"[\d.]+( ?[KMGT]iB| %)?", "N", line) for line in shown]


def test_programs_get_the_records_as_they_come_and_the_node_in_the_summary(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    log = tmp_path / "log"
    with cluster.worker("node-1"):
        words = ["run", "small", "--distribute", "--yes", "--json", f"--log-file={log}"]
        ran = apart(*cluster.words(*words, hosts=(ONE,)))
    assert ran.code == 0, ran.said
    *records, summary = map(json.loads, ran.out.splitlines())
    assert [(host["host"], host["outcome"], host["node"]) for host in summary["hosts"]] == [(ONE, "resolved", "node-1")]
    [path] = (tmp_path / "node-1" / "runs").glob(f"{summary['hosts'][0]['part']}/{ONE}.jsonl")
    journal = [json.loads(line)["hash"] for line in path.read_text().splitlines()]
    assert [record["hash"] for record in records] == journal
    assert log.exists()


def test_each_host_is_done_by_a_worker_of_its_site(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(f"{ONE} site=north\n{TWO} site=south\n")
    with cluster.worker("node-1", "--site=north"), cluster.worker("node-2", "--site=south"):
        words = cluster.words("run", "small", "--distribute", "--yes", "--json", hosts=(ONE, TWO))
        ran = apart(*words, f"--inventory={inventory}")
    assert ran.code == 0, ran.said
    summary = json.loads(ran.out.splitlines()[-1])
    assert {host["host"]: host["node"] for host in summary["hosts"]} == {ONE: "node-1", TWO: "node-2"}


def test_gates_are_asked_where_it_was_ordered(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books, risk="low")
    with (
        cluster.worker("node-1", "--forks=1"),
        cluster.worker("node-2", "--forks=1"),
        terminal(*cluster.words("run", "small", "--distribute", hosts=(ONE, TWO)), columns=160) as run,
    ):
        run.expect("y/N")
        run.type("y\n")
        run.expect("y/N")
        run.type("n\n")
        assert run.wait(40) == 5, run.drawn
    assert len(noted(tmp_path)) == 1
    assert "1 of 2 hosts: 1 refused" in run.drawn


def test_quit_all_ends_every_part(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    with (
        cluster.worker("node-1"),
        terminal(*cluster.words("run", "small", "--distribute", hosts=(ONE, TWO)), columns=160) as run,
    ):
        run.expect("y/N")
        run.type("Q\n")
        run.wait(40)
    assert noted(tmp_path) == []
    assert "none well" in run.drawn.lower()


def test_a_gate_that_nobody_answers_any_more_is_refused_and_asked_again(cluster: Cluster, tmp_path: Path) -> None:
    noting(tmp_path, cluster.books)
    with cluster.worker("node-1") as worker:
        with terminal(*cluster.words("run", "small", "--distribute", hosts=(ONE,)), columns=160) as run:
            run.expect("y/N")
            run.process.kill()
            run.process.wait(10)
        wait_until(lambda: f"{ONE}: refused" in worker.said, "nobody is there to answer", 60)
        assert list((tmp_path / "node-1").glob("runs/*/plan-*.json")), "the plan is kept"
        with terminal(*cluster.words("resume", "last"), columns=160) as again:
            again.expect("y/N")
            again.type("y\n")
            assert again.wait(40) == 0, again.drawn
    assert noted(tmp_path) == [f"{ONE}-one"]
