"""Secrets that are planted everywhere turn up nowhere: not in the state directory, nor in anything that is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.books import HEAD
from tests.cli.console import apart, environment, here

from memrunbook.runtime.secrets_told import told

pytestmark = pytest.mark.usefixtures("machine")
# Each is found by the one thing that hides it: being a secret parameter, its name, its place, or its shape.
LOGIN, NAMED, URL, BEARER, ARGUMENT, LOGGED, SHAPED, PRIVATE, BY_OPTION = (
    "S3cr3tLog1n", "nAm3dPl4nt", "urlPl4nt77", "bearerPl4nt88", "argPl4nt99", "logPl4nt11", "AKIAPLANTEDSHAPE1234",
    "pemPl4nt22", "optPl4nt33",
)  # fmt: skip
PLANTED = (LOGIN, NAMED, URL, BEARER, ARGUMENT, LOGGED, SHAPED, PRIVATE, BY_OPTION)
PARAMETERS = """\
parameters:
  login: {type: string, default: "", secret: true, description: How the service is logged in to}
  db_password: {type: string, default: ""}
  level: {type: integer, default: 1}
"""
SAYING = f"""
echo "login is $1, db_password=$2"
echo "see postgres://app:{URL}@db/shop and id {SHAPED}"
echo "Authorization: Bearer {BEARER}"
printf '%s\\n' '-----BEGIN PRIVATE KEY-----' {PRIVATE} '-----END PRIVATE KEY-----'
echo "mysql -uroot -p{BY_OPTION} shop" >&2
exit "$3"
"""
STEPS = """\
  - id: look
    name: Look
    action: run_check_command
    with: {{command: "${{{{ ['sh', '{script}', parameters.login, parameters.db_password, '0'] }}}}", timeout: 10s}}
  - id: act
    name: Act
    action: run_command
    with: {{command: "${{{{ ['sh', '{script}', parameters.login, parameters.db_password, '0'] }}}}", risk: low}}
    verify: {{that: memory.total_bytes > 0, within: 3s}}
    on_failure: continue
  - id: fail
    name: Fail
    action: run_command
    with: {{command: "${{{{ ['sh', '{script}', parameters.login, parameters.db_password, '7'] }}}}", risk: low}}
    verify: {{that: memory.total_bytes > 0, within: 3s}}
"""
KERNEL = f"""\
[    5.000000] {LOGIN} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[    5.000001] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/,task={LOGIN},pid=1,uid=0
[    5.000002] Out of memory: Killed process 1 ({LOGIN}) total-vm:9kB, anon-rss:9kB, file-rss:0kB, shmem-rss:0kB
[    5.000003] agent: token={LOGGED}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A host whose kernel log, unit names and processes hold secrets; the environment in which it is this machine."""
    programs = tmp_path / "programs"
    programs.mkdir()
    said = tmp_path / "kernel.log"
    said.write_text(KERNEL)
    units = f"Id={LOGIN}.service\\nActiveState=active\\nExecStart=/bin/x --password={ARGUMENT}\\n"
    for name, script in {"dmesg": f"cat {said}", "systemctl": f"printf '{units}'"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    sleeper = programs / LOGIN
    shutil.copy(shutil.which("sleep") or "/bin/sleep", sleeper)
    words = [str(sleeper), "120"]
    shown = [sys.executable, "-c", "import time; time.sleep(120)", f"--password={ARGUMENT}", LOGIN]
    started = [subprocess.Popen(one) for one in (words, shown)]
    try:
        yield environment(PATH=f"{programs}:{os.environ['PATH']}")
    finally:
        for one in started:
            one.kill()
            one.wait(10)
        told.forget()


def planted(folder: Path) -> str:
    (folder / "say.sh").write_text(SAYING)
    path = folder / "secrets.yaml"
    head = HEAD.format(name="secrets", resolved="memory.available_percent > 100.0", more=PARAMETERS)
    path.write_text(head + STEPS.format(script=folder / "say.sh"))
    return str(path)


def test_what_is_planted_everywhere_turns_up_nowhere(tmp_path: Path, state: Path, world: dict[str, str]) -> None:
    path = planted(tmp_path)
    given = ("-p", f"login={LOGIN}", "-p", f"db_password={NAMED}", "-p", "level=3")
    saved = tmp_path / "plan.json"
    reason = f"ticket https://bot:{URL}@tracker/7 with {LOGIN} and Authorization: Bearer {BEARER}"
    ran = [
        apart("plan", path, "--host", "local", *given, "--out", str(saved), env=world),
        apart("plan", path, "--host", "local", *given, "--json", env=world),
        apart("run", path, "--host", "local", "--yes", *given, "--reason", reason, env=world),
        apart("run", path, "--host", "local", "--yes", *given, "--reason", reason, "--json", env=world),
        apart("run", path, "--host", "local", *given, env=world),  # a gate refuses, and saves its plan
        apart("show", path, *given, env=world),
        apart("facts", "--host", "local", "oom", "units", "processes", "--json", env=world),
        *(apart(*words, env=world) for words in (
            ("report", "last"), ("report", "last", "--json"), ("runs",), ("runs", "--json"), ("audit", "show"),
            ("audit", "show", "--json"), ("audit", "export"), ("audit", "export", "--format", "csv"),
        )),
    ]  # fmt: skip
    assert [one.code for one in ran[:2]] == [0, 0], ran[0].said
    assert ran[2].code == ran[3].code == 3, ran[2].said  # the last step failed, as it should
    assert ran[4].code == 5
    kept = {file: file.read_text("utf-8", "replace") for file in [*state.rglob("*"), saved] if file.is_file()}
    for secret in PLANTED:
        found = [str(file) for file, text in kept.items() if secret in text]
        assert not found, (secret, found)
        if secret != LOGIN:  # `facts` was never told that this name is a secret
            assert not [n for n, one in enumerate(ran) if secret in one.said], secret
    assert not [n for n, one in enumerate(ran[:6]) if LOGIN in one.said]
    everything = "".join(kept.values())
    assert everything.count("[redacted]") > 20
    assert '"level":"3"' in everything
    assert apart("audit", "verify", env=world).code == 0


def test_a_secret_parameter_is_a_string_that_can_be_hidden(tmp_path: Path) -> None:
    path = planted(tmp_path)
    here("plan", path, "--host", "local", "-p", "login=abc").refused(2, "fewer than 4 characters", hint="logged in")
    text = Path(path).read_text()
    Path(path).write_text(text.replace('login: {type: string, default: ""', "login: {type: integer, default: 5"))
    wrong = here("validate", path)
    assert wrong.code == 2
    assert "only a string can be secret, this is a integer" in wrong.out
