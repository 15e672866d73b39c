"""Who is measured, and by which command each does the two jobs."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.fleet import HEALTHY_OR_NOT, PROBE, PROVES, RUNBOOK, SAMPLES_SECONDS, Ground, Task
from bench.peers.installing import Tool

JOBS_FOLDER = Path(__file__).parent / "jobs"
JOBS = ("diagnose", "remediate")
STEP = '[ "$(cat {0})" = {1} ] || printf "%s\\n" {1} >{0}; [ "$(cat {0})" = {1} ]'
"""Looks, writes only what is needed, and looks again."""
CLUSTER, BOOST = "/proc/sys/vm/page-cluster", "/proc/sys/vm/watermark_boost_factor"
CHANGES = ((CLUSTER, 2), (BOOST, 0), (CLUSTER, 1), (BOOST, 15000), (CLUSTER, 3))
STEPS = len(CHANGES)
FLOOR, LOGIN = "floor", "login"
QUICK, OURS = "runbook --quick", "runbook"
DEFAULT, OPTIMISED = "Ansible, default", "Ansible, optimised"
PYINFRA, FABRIC, PARALLEL_SSH = "pyinfra", "fabric", "parallel-ssh"
TOOLS = {DEFAULT: "ansible", OPTIMISED: "ansible", PYINFRA: "pyinfra", FABRIC: "fabric", PARALLEL_SSH: "parallel-ssh"}
"""The tool that each peer needs."""
NOT_ALL_JUDGED = 9
"""`runbook diagnose --quick` ends with it: what needs a rate is unknown after one reading."""


@dataclass(frozen=True)
class Entry:
    """A contestant's command for a job. `times`: how often its proof stands in the output for each host.

    `lingers`: it leaves connections open, which are ended before the hosts' account is read. `keeps`: its state
    directory, new for each measurement, with a store: a limit of changes is no part of what a change costs.
    """

    job: str
    task: Task
    times: int = 1
    lingers: bool = False
    keeps: Path | None = None


Maker = Callable[[Ground, int, Mapping[str, Tool]], Entry]


def name_of(job: str, what: str) -> str:
    """Under which name the figures of a contestant's job are kept."""
    return f"{job} {what}"


def entries(job: str, ground: Ground, count: int, tools: Mapping[str, Tool]) -> Iterator[Entry]:
    """All contestants of a job on so many hosts; without those whose tool is not installed."""
    yield _floor(job, ground, count)
    yield from _ours(job, ground, count)
    for what, tool in TOOLS.items():
        if not tools[tool].lack:
            yield _peer(job, what, ground, count, tools[tool])


def login(ground: Ground) -> Entry:
    """One login and nothing else: what the hosts' forks and memory are counted above."""
    return Entry(LOGIN, ground.client(LOGIN, 1, "true"))


def _floor(job: str, ground: Ground, count: int) -> Entry:
    script, proof = (PROBE, PROVES) if job == "diagnose" else (JOBS_FOLDER / "five-steps.sh", b"five steps proven\n")
    return Entry(job, replace(ground.client(FLOOR, count, "sh", "-s", stdin=script), proof=proof))


def _ours(job: str, ground: Ground, count: int) -> Iterator[Entry]:
    state = ground.scratch / "state"
    kept = ("--config-dir", str(ground.scratch), "--state-dir", str(state), *ground.reach(count))
    if job == "remediate":
        words = (str(RUNBOOK), "run", "five-steps", "--runbooks", str(JOBS_FOLDER), "--yes", *kept)
        yield Entry(job, Task(OURS, count, words), keeps=state)
        return
    well = (*HEALTHY_OR_NOT, NOT_ALL_JUDGED)
    words = (str(RUNBOOK), "diagnose", *kept)
    yield Entry(job, Task(QUICK, count, (*words, "--quick"), well), keeps=state)
    yield Entry(job, Task(OURS, count, words, well, SAMPLES_SECONDS), keeps=state)


def _peer(job: str, what: str, ground: Ground, count: int, tool: Tool) -> Entry:
    if tool.name == "ansible":
        return _ansible(job, what, ground, count, tool)
    env = _told(ground, count)
    if tool.name == "pyinfra":
        files = [str(JOBS_FOLDER / name) for name in ("pyinfra_hosts.py", f"pyinfra_{job}.py")]
        words = [tool.program("pyinfra"), "-y", "--parallel", str(ground.at_once), *files]
        proof, times = (PROVES, 1) if job == "diagnose" else (b" Success\n", STEPS)
        return Entry(job, Task(what, count, (*env, *words), proof=proof), times)
    script = JOBS_FOLDER / f"{tool.name.replace('-', '_')}_job.py"
    words = [tool.program("python"), str(script), *([str(PROBE)] if job == "diagnose" else [])]
    return Entry(job, Task(what, count, (*env, *words), proof=PROVES if job == "diagnose" else b"proven\n"))


def _told(ground: Ground, count: int) -> tuple[str, ...]:
    """Where the hosts are, for the scripts in jobs/."""
    farm = ground.farm
    told = {
        "FARM": farm.folder,
        "FARM_PORT": farm.port,
        "FARM_USER": getpass.getuser(),
        "FARM_HOSTS": ",".join(farm.addresses[:count]),
        "FARM_AT_ONCE": ground.at_once,
        "FARM_PROBE": PROBE,
        "FARM_STEPS": "\n".join(STEP.format(*change) for change in CHANGES),
    }
    return ("env", *(f"{name}={value}" for name, value in told.items()))


def _ansible(job: str, what: str, ground: Ground, count: int, tool: Tool) -> Entry:
    """`default` is Ansible as it comes; `optimised` what its users set: pipelining, no facts, forks, interpreter."""
    inventory = ground.scratch / f"inventory-{count}"
    inventory.write_text("\n".join(ground.farm.addresses[:count]) + "\n", encoding="ascii")
    nothing = ground.scratch / "ansible.cfg"
    nothing.touch()
    settings = {
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(ground.scratch / "a"),
        "ANSIBLE_CONFIG": str(nothing),
        "ANSIBLE_SSH_COMMON_ARGS": f"-F {ground.farm.config}",
    }
    if what == OPTIMISED:
        settings |= {
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_GATHERING": "explicit",
            "ANSIBLE_FORKS": str(ground.at_once),
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        }
    env = ("env", *(f"{name}={value}" for name, value in settings.items()))
    words = [tool.program("ansible-playbook"), "-i", str(inventory), "-e", f"probe={PROBE}"]
    task = Task(what, count, (*env, *words, str(JOBS_FOLDER / f"ansible-{job}.yaml")), proof=b"failed=0 ")
    return Entry(job, task, lingers=True)
