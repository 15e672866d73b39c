"""Many hosts, one batch after the other, against OpenSSH's own server: canaries, failures, peers, kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.books import act, book
from tests.cli.console import WORDS, Ran, environment, here
from tests.machines import NAME, Machines, counted, machines, needs_machines, noted

from memrunbook.app import Connectors, Notice, ResumeArguments, consent, resume
from memrunbook.app.reporting import list_runs, report
from memrunbook.transports.shared.reach import Reach

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd

STARTED: list[subprocess.Popen[bytes]] = []
WEB = ("web01", "web02", "web03", "web04", "web05")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    needs_machines()
    with machines(tmp_path_factory.mktemp("web"), WEB) as running:
        yield running


def run(web: Machines, folder: Path, *more: str) -> list[str]:
    return ["run", counted(folder), "--host", "web[01:05]", *web.arguments, "--yes", *more]


def outcomes(ran: Ran) -> dict[str, tuple[str, str]]:
    summary = json.loads(ran.out.splitlines()[-1])
    return {host["host"]: (host["outcome"], host["why"]) for host in summary["hosts"]}


def test_a_command_for_one_host_leaves_the_file_of_all_alone(web: Machines, tmp_path: Path) -> None:
    path, left = book(tmp_path, act("note", "true", risk="medium")), tmp_path / "left"
    ran = here("run", path, "--host", "web[01:02]", *web.arguments, "--retry-file", str(left))
    commands = [line for line in ran.out.splitlines() if line.startswith(("To allow it:", "To apply it:"))]
    assert len(commands) == 4, ran.said
    assert not any("--retry-file" in line for line in commands)


def test_a_canary_that_fails_ends_the_run_and_each_host_is_told(web: Machines, tmp_path: Path, state: Path) -> None:
    (tmp_path / "bad-web01").touch()
    left = tmp_path / "left"
    ran = here(*run(web, tmp_path, "--serial", "1,50%", "--retry-file", str(left)))
    assert ran.code == 3, ran.said
    assert noted(tmp_path) == ["web01"]
    assert "batch 1 of 3: 1 host, web01" in ran.err
    assert "batch 2" not in ran.err
    why = "1 host failed (web01), --max-failures 1"
    assert f"not begun: 4 hosts, web02, web03, web04 and 1 more: {why}" in ran.err
    assert "NONE WELL: all 5 hosts: 1 failed, 4 not begun" in ran.out
    assert f"NOT BEGUN 4 hosts web[02:05]: {why}" in " ".join(ran.out.split())
    assert left.read_text().split() == list(WEB)
    advice = next(line for line in ran.out.splitlines() if line.startswith("To run it again on these hosts:"))
    assert f"--host @{left}" in advice
    assert "--serial 1,50%" in advice, "the next command has its canary too"
    (found,) = list_runs(state).runs
    told = {one.host: (one.outcome, one.why) for one in report(state, found.run_id).reports}
    assert told == {"web01": ("failed", "step note failed"), **dict.fromkeys(WEB[1:], ("not_begun", why))}
    told_batches = " ".join(here("report", "last").out.split())
    assert "Batches 1 web01; 2 web02, web03: not begun; 3 web04, web05: not begun" in told_batches
    assert here("audit", "verify").code == 0
    here("resume", "last").refused(5, "web02 not_begun", "there is nothing to go on with")
    (tmp_path / "bad-web01").unlink()
    again = here(*run(web, tmp_path)[:2], "--host", f"@{left}", *web.arguments, "--yes", "--retry-file", str(left))
    assert again.code == 0, again.said
    assert sorted(noted(tmp_path, "ends")) == list(WEB)
    assert left.read_text() == "", "all went well: nobody is left"
    here("run", "small", "--host", f"@{left}").refused(2, "the file names no host")


def test_failures_count_over_all_batches_and_unreachable_ones_too(web: Machines, tmp_path: Path) -> None:
    (tmp_path / "bad-web02").touch()
    words = ["run", counted(tmp_path), "--host", "web01,gone,web02,web03,web04", *web.arguments, "--yes", "--json"]
    config = web.folder / "config"
    if "Host gone" not in config.read_text():
        config.write_text(f"{config.read_text()}Host gone\n HostName 127.0.0.1\n Port 1\n")
    ran = here(*words, "--serial", "1", "--max-failures", "2")
    assert ran.code == 3, ran.said
    found = outcomes(ran)
    assert {host: outcome for host, (outcome, _) in found.items()} == {
        "web01": "resolved", "gone": "unreachable", "web02": "failed", "web03": "not_begun", "web04": "not_begun",
    }  # fmt: skip
    assert found["web03"][1] == "2 hosts failed (gone unreachable, web02), --max-failures 2"
    assert noted(tmp_path) == ["web01", "web02"]
    assert [line for line in ran.err.splitlines() if line.startswith("batch ")] == [
        f"batch {number} of 5: 1 host, {host}" for number, host in enumerate(("web01", "gone", "web02"), 1)
    ]


def test_one_machine_under_two_names_is_changed_under_the_first(web: Machines, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[twice]\nweb01\nalias01 ansible_host=web01\n")
    words = ["-i", str(tmp_path / "hosts"), "--host", "twice", *web.arguments]
    batches = ["--serial", "1", "--max-failures", "100%"]
    ran = here("run", counted(tmp_path), *words, *batches, "--yes", "--json")
    found = outcomes(ran)
    assert found["web01"][0] == "resolved", ran.said
    assert found["alias01"] == ("refused", "this is the same machine as web01, which this run has entered already")
    assert noted(tmp_path) == ["web01"]
    assert ran.code == 5


def test_inside_a_batch_it_is_looked_at_before_each_host(web: Machines, tmp_path: Path) -> None:
    (tmp_path / "bad-web01").touch()
    ran = here(*run(web, tmp_path, "--forks", "1", "--max-failures", "1", "--json"))
    assert ran.code == 3, ran.said
    found = outcomes(ran)
    assert found["web01"][0] == "failed"
    assert {found[host][0] for host in WEB[1:]} == {"not_begun"}
    assert noted(tmp_path) == ["web01"]


def test_a_batch_begins_when_each_host_of_the_one_before_has_ended(web: Machines, tmp_path: Path) -> None:
    left = tmp_path / "left"
    ran = here(*run(web, tmp_path, "--serial", "2", "--retry-file", str(left)))
    assert ran.code == 0, ran.said
    rows = [line.split()[:2] for line in (tmp_path / "effects").read_text().splitlines()]
    batches = [rows[:4], rows[4:8], rows[8:]]
    assert [{host for host, _ in batch} for batch in batches] == [{"web01", "web02"}, {"web03", "web04"}, {"web05"}]
    assert left.read_text() == ""


@pytest.mark.parametrize(
    ("option", "word", "said"),
    [
        ("--serial", "0", "'0' is no number of hosts"),
        ("--serial", "1,-1", "'-1' is no number of hosts"),
        ("--serial", "1,101%", "'101%' is no number of hosts"),
        ("--serial", "1,,2", "'' is no number of hosts"),
        ("--serial", "a few", "'a few' is no number of hosts"),
        ("--max-failures", "0", "may not begin any host"),
        ("--max-failures", "0%", "may not begin any host"),
        ("--max-failures", "-1", "'-1' is no number of hosts"),
        ("--max-failures", "many", "'many' is no number of hosts"),
        ("--retry-file", "/proc/nothing/here", "the retry file cannot be written"),
    ],
)
def test_what_says_nothing_is_refused_before_anything_is_done(
    option: str, word: str, said: str, tmp_path: Path, state: Path
) -> None:
    words = ["run", counted(tmp_path), "--host", "local", "--yes", f"{option}={word}"]
    here(*words).refused(2, option, said, hint="that may be written" if option == "--retry-file" else "1% to 100%")
    assert not noted(tmp_path)
    assert not list_runs(state).runs


def test_config_yaml_says_it_for_whoever_does_not(web: Machines, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("defaults: {serial: [1, 50%], max_failures: 2}\n")
    folder = ("--config-dir", str(tmp_path))
    ran = here(*run(web, tmp_path, *folder))
    assert ran.code == 0, ran.said
    assert "batch 3 of 3: 2 hosts, web04, web05" in ran.err
    assert "batch 1 of 2: 3 hosts" in here(*run(web, tmp_path, *folder, "--serial", "3")).err
    (tmp_path / "config.yaml").write_text("defaults: {serial: 0, max_failures: 200%}\n")
    here(*run(web, tmp_path, *folder)).refused(
        2, "config.yaml:1:20: '0' is", "config.yaml:1:37: '200%' is", hint="1% to 100%"
    )


@pytest.mark.timeout(900)
def test_peers_are_never_disturbed_together_by_two_engines(web: Machines, tmp_path: Path) -> None:
    """Two engines with a state directory each share a store; one inventory alone says that the hosts are peers."""
    inventory, go_on = tmp_path / "hosts.ini", tmp_path / "go-on"
    inventory.write_text("web01 peers=web02\nweb02\n")
    effect = f"$(date +%s.%N) >>{tmp_path}/effects"
    script = f"echo {NAME} begins {effect}; while [ ! -e {go_on} ]; do sleep 0.1; done; echo {NAME} ends {effect}"
    first = engine(web, tmp_path, "web01", script, "--inventory", str(inventory))
    until(lambda: bool(noted(tmp_path)), first)
    second = engine(web, tmp_path, "web02", script)
    told = "web02  waits for web01, its peer: run 2"
    until(lambda: told in (tmp_path / "web02.said").read_text(), second)
    time.sleep(6)  # it has looked once more
    go_on.touch()
    assert [first.wait(240), second.wait(240)] == [0, 0], (tmp_path / "web02.said").read_text()
    rows = [line.split()[:2] for line in (tmp_path / "effects").read_text().splitlines()]
    assert rows == [["web01", "begins"], ["web01", "ends"], ["web02", "begins"], ["web02", "ends"]], rows
    said = (tmp_path / "web02.said").read_text()
    assert said.count("waits for web01") == 1
    assert "there (run_command) since 20" in said


def engine(web: Machines, folder: Path, host: str, script: str, *more: str) -> subprocess.Popen[bytes]:
    """An engine that changes one host, with a state directory of its own and the store of all."""
    # each is at something else: for the same they would wait without being peers
    does = act(f"on-{host}", "sh", "-c", f": {host}; {script}", risk="medium", timeout="300s")
    path = book(folder, does, name=f"on-{host}")
    words = ["run", path, "--host", host, *web.arguments, "--allow", "run_command", *more]
    store = [f"--store={folder / 'store.sqlite'}", f"--state-dir={folder / host}"]
    with (folder / f"{host}.said").open("wb") as said:
        process = subprocess.Popen(
            [*WORDS, *words, *store], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment()
        )
    STARTED.append(process)
    return process


@pytest.fixture(autouse=True)
def ends_engines() -> Iterator[None]:
    """No engine outlives its test, whatever became of that."""
    yield
    for process in STARTED:
        process.kill()
        process.wait(10)
    STARTED.clear()


def until(done: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    """Waits for something that a process does."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)


def killed_when(done: Callable[[], bool], words: Sequence[str]) -> None:
    """Kills an engine (SIGKILL) when something has happened."""
    process = subprocess.Popen(
        [*WORDS, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment(),
    )  # fmt: skip
    STARTED.append(process)
    until(done, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)


def test_a_dry_run_says_what_it_does_not_heed(tmp_path: Path) -> None:
    left = tmp_path / "left"
    words = ["run", counted(tmp_path), "--dry-run", "--host", "local", "--serial", "1", "--retry-file", str(left)]
    ran = here(*words)
    assert ran.code == 0, ran.said
    told = " ".join(ran.err.split())
    assert "a dry run begins no host and writes no file; not heeded: --serial, --retry-file" in told
    assert not left.exists()
    assert "not heeded" not in here(*words[:5]).err


@pytest.mark.timeout(900)
def test_killed_in_the_second_batch_the_run_goes_on_with_who_was_not_begun(
    web: Machines, tmp_path: Path, state: Path
) -> None:
    left, words = tmp_path / "left", counted(tmp_path, seconds="3")
    (tmp_path / "bad-web01").touch()
    order = ["run", words, "--host", "web[01:05]", *web.arguments, "--yes", "--serial", "2", "--max-failures", "2"]
    killed_when(lambda: bool({"web03", "web04"} & set(noted(tmp_path))), [*order, "--retry-file", str(left)])
    assert set(left.read_text().split()) == set(WEB), "of an engine that was killed all are left"
    assert list_runs(state).runs[0].state == "interrupted"
    resumed = here("resume", "last", "--yes")
    assert "Traceback" not in resumed.said
    assert resumed.code == 3, resumed.said
    assert "batch 1" not in resumed.err
    assert "batch 2 of 3: 2 hosts, web03, web04" in resumed.err
    assert "batch 3 of 3: 1 host, web05" in resumed.err
    assert sorted(noted(tmp_path)) == list(WEB), "each effect once"
    assert left.read_text() == "web01\n", "it goes on with the file, too"
    advice = next(line for line in resumed.out.splitlines() if line.startswith("To run it again on these hosts:"))
    assert f"--host @{left}" in advice
    assert "--serial 2 --max-failures 2" in advice, "the run as it was begun, not as it was gone on with"
    (found,) = list_runs(state).runs
    told = {one.host: one.outcome for one in report(state, found.run_id).reports}
    assert told == {"web01": "failed", **dict.fromkeys(WEB[1:], "resolved")}
    assert here("audit", "verify").code == 0


@pytest.mark.timeout(900)
def test_after_ctrl_c_resume_comes_first_and_each_effect_happens_once(
    web: Machines, tmp_path: Path, state: Path
) -> None:
    left, words = tmp_path / "left", counted(tmp_path, seconds="3")
    order = ["run", words, "--host", "web[01:05]", *web.arguments, "--yes", "--serial", "2", "--retry-file", str(left)]
    process = subprocess.Popen([*WORDS, *order], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    STARTED.append(process)
    until(lambda: {"web01", "web02"} <= set(noted(tmp_path)), process)
    process.send_signal(signal.SIGINT)
    out, err = (told.decode() for told in process.communicate(timeout=120))
    assert process.returncode == 130, out + err
    (found,) = list_runs(state).runs
    told = {one.host: one.outcome for one in report(state, found.run_id).reports}
    assert {told[name] for name in WEB[2:]} == {"not_begun"}
    assert "not begun: 3 hosts, web03, web04, web05: a person asked to stop" in err
    assert f"To go on with this run:  runbook resume {found.run_id}" in out
    assert "To run it again" not in out
    assert "NOT BEGUN" in out
    assert "NOT BEGUN:" not in out, "who was not begun has a line, no page"
    assert left.read_text().split() == list(WEB)
    resumed = here("resume", "last", "--yes")
    assert resumed.code == 0, resumed.said
    assert "batch 2 of 3: 2 hosts, web03, web04" in resumed.err
    assert sorted(noted(tmp_path)) == list(WEB), "each effect once"
    assert left.read_text() == ""
    assert here("audit", "verify").code == 0


class Ends(Notice):
    """Keeps how each host ended, in the order in which it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        del outcome
        self.told.append((host, why))


@pytest.mark.timeout(900)
def test_what_failed_before_the_kill_counts_after_it(web: Machines, tmp_path: Path, state: Path) -> None:
    for host in ("web01", "web03"):
        (tmp_path / f"bad-{host}").touch()
    words = ["run", counted(tmp_path, seconds="3"), "--host", "web[01:05]", *web.arguments, "--yes", "--serial", "1"]
    killed_when(lambda: "web02" in noted(tmp_path), [*words, "--max-failures", "2"])
    heard = Ends()
    ways = Connectors(Reach(ssh_config=web.folder / "config", known_hosts=(web.folder / "known_hosts",)))
    resumed = resume(ResumeArguments(run="last", state=state, connectors=ways), consent(yes=True), heard)
    assert heard.told[0] == ("web01", "before the run went on: step note failed"), "nobody waits for it any more"
    assert sorted(host for host, _ in heard.told) == list(WEB)
    (found,) = list_runs(state).runs
    told = {one.host: one.outcome for one in report(state, found.run_id).reports}
    assert told == {
        "web01": "failed", "web02": "resolved", "web03": "failed", "web04": "not_begun", "web05": "not_begun",
    }  # fmt: skip
    assert resumed.reports[-1].why == "2 hosts failed (web01, web03), --max-failures 2"
    assert noted(tmp_path) == ["web01", "web02", "web03"]
