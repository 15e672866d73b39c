"""A saved plan is carried out exactly, once, where nothing has moved; else it is refused with both sides shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from tests.cli.books import act, book
from tests.cli.console import ROOT, Ran, here
from tests.machines import machines, needs_machines
from tests.sshd import Sshd

from memrunbook.core.host import Host
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.state import plans
from memrunbook.state.plans import load_plan, save_plan

NEVER = "memory.available_percent > 100.0"
alone = pytest.mark.usefixtures("machine")


def _book(folder: Path, *names: str, risk: str = "medium", more: str = "") -> str:
    steps = [act(name, "touch", str(folder / name), risk=risk) for name in names]
    return book(folder, *steps, resolved=NEVER, more=more)


def _planned(folder: Path, *words: str, names: tuple[str, ...] = ("one",)) -> Path:
    """A plan for this machine, saved."""
    out = folder / "plan.json"
    ran = here("plan", _book(folder, *names), "--host", "local", "--out", str(out), *words)
    assert ran.code == 0, ran.said
    return out


def _rewritten(path: Path, change: Callable[[SavedPlan], SavedPlan]) -> None:
    """The plan as an engine would have saved it that saw something else."""
    save_plan(path, change(load_plan(path).saved))


def _with_plan(saved: SavedPlan, **changes: Any) -> SavedPlan:
    plans = tuple(msgspec.structs.replace(plan, **changes) for plan in saved.plans)
    return msgspec.structs.replace(saved, plans=plans)


def _refused(ran: Ran, *words: str, state: Path) -> dict[str, Any]:
    """It was refused with both sides of what differs, and that is in the journal; what the journal says."""
    ran.refused(5, "REFUSED", *words)
    assert "approved:" in ran.out
    assert "now:" in ran.out
    ran.plain()
    run = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    [journal] = [path for path in run.glob("*.jsonl") if path.name not in ("run.jsonl", "evidence.jsonl")]
    told = [json.loads(line).get("record", {}) for line in journal.read_text().splitlines()]
    assert told[-1]["outcome"] == "refused"
    assert here("audit", "verify").code == 0
    found: dict[str, Any] = next(one for one in told if one.get("type") == "outdated")
    return found


@alone
def test_a_plan_is_carried_out_as_it_was_saved_and_the_journal_says_so(tmp_path: Path, state: Path) -> None:
    path = _planned(tmp_path, names=("one", "two"))
    ran = here("apply", str(path), "--reason", "drill", "--json")
    assert ran.code == 3, ran.said  # the incident of this runbook never ends
    assert (tmp_path / "one").exists()
    assert (tmp_path / "two").exists()
    records = [json.loads(line) for line in ran.out.splitlines()]
    digest = load_plan(path).digest
    answers = [one["answer"] for one in records if one.get("answer", {}).get("type") == "Approval"]
    assert [(one["answer"], one["how"]) for one in answers] == [("yes", f"apply {digest}")] * 2
    [run] = (state / "runs").iterdir()
    invoked = json.loads((run / "run.jsonl").read_text().splitlines()[0])
    assert invoked["reason"] == "drill"
    assert (invoked["applied"]["digest"], invoked["applied"]["file"]) == (digest, str(path))
    assert invoked["applied"]["creator"] == load_plan(path).saved.creator
    assert here("audit", "verify").code == 0


@alone
def test_a_plan_is_carried_out_once(tmp_path: Path, state: Path) -> None:
    path = _planned(tmp_path)
    here("apply", str(path))
    (tmp_path / "one").unlink()
    told = _refused(here("apply", str(path)), "carried out before", state=state)
    assert "run 20" in told["now"]
    assert not (tmp_path / "one").exists()


@alone
def test_a_refusal_is_told_once_and_its_hint_is_typed_as_it_stands(tmp_path: Path) -> None:
    path, key, hosts = _planned(tmp_path), tmp_path / "key", tmp_path / "known hosts"
    key.touch()
    hosts.touch()
    _rewritten(path, lambda saved: _with_plan(saved, expires_at=saved.plans[0].taken_at.utc - 1))
    ran = here(
        "apply", str(path), "--identity", str(key), "--known-hosts", str(hosts), "--store", f"sqlite:{tmp_path}/s"
    )
    assert ran.out.count("the plan has expired") == 1
    hint = next(line for line in ran.out.splitlines() if "hint: plan again" in line)
    assert f"--host local --identity {key} --known-hosts '{hosts}' --out FILE" in hint
    assert hint.count("--store") == 1, "it judges by what runs of the same store left"


def test_one_that_has_expired_or_is_from_the_future_is_refused(tmp_path: Path, state: Path) -> None:
    path = _planned(tmp_path)
    _rewritten(path, lambda saved: _with_plan(saved, expires_at=saved.plans[0].taken_at.utc - 1))
    left = tmp_path / "left"
    _refused(here("apply", str(path), "--retry-file", str(left)), "the plan has expired", state=state)
    assert left.read_text() == "local\n"
    taken = load_plan(path).saved.plans[0].taken_at
    later = msgspec.structs.replace(taken, utc=taken.utc + 3600)
    _rewritten(path, lambda saved: _with_plan(saved, taken_at=later, expires_at=later.utc + 900))
    _refused(here("apply", str(path)), "from the future", state=state)
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("part", "words"), [("machine_id", "another host"), ("boot_id", "rebooted"), ("host_key", "another key")]
)
def test_another_host_boot_or_key_is_refused(tmp_path: Path, state: Path, part: str, words: str) -> None:
    path = _planned(tmp_path)
    identity = msgspec.structs.replace(load_plan(path).saved.plans[0].identity, **{part: "another"})
    _rewritten(path, lambda saved: _with_plan(saved, identity=identity))
    told = _refused(here("apply", str(path)), words, state=state)
    assert "another" in told["approved"]
    assert not (tmp_path / "one").exists()


def test_another_runbook_of_the_name_is_refused_and_so_is_none(tmp_path: Path, state: Path) -> None:
    path = _planned(tmp_path)
    with (tmp_path / "small.yaml").open("a") as file:
        file.write("# another word\n")
    _refused(here("apply", str(path)), "the runbook's file was changed", state=state)
    (tmp_path / "small.yaml").unlink()
    _refused(here("apply", str(path)), "not there any more", state=state)


def test_another_decision_is_refused_before_anything_is_changed(tmp_path: Path, state: Path) -> None:
    book_path = Path(_book(tmp_path, "one", "two"))
    path = _planned(tmp_path, names=("one", "two"))

    def other(saved: SavedPlan) -> SavedPlan:
        return msgspec.structs.replace(saved, digests=((saved.digests[0][0],),), plans=(_first(saved),))

    def _first(saved: SavedPlan) -> Any:
        return msgspec.structs.replace(saved.plans[0], steps=saved.plans[0].steps[:1])

    assert book_path.exists()
    _rewritten(path, other)
    told = _refused(here("apply", str(path)), "step two is not what was approved", state=state)
    assert told["approved"] == "nothing"
    assert f"touch {tmp_path / 'two'}" in told["now"]
    assert not (tmp_path / "one").exists(), "refused as a whole, before the first step"


@alone
def test_what_was_changed_in_the_file_is_seen(tmp_path: Path, state: Path) -> None:
    path = _planned(tmp_path)
    text = path.read_text()
    for old, new in ((str(tmp_path / "one"), str(tmp_path / "two")), ('"watch": null', '"watch": 60.0')):
        assert old in text
        path.write_text(text.replace(old, new))
        _refused(here("apply", str(path)), "the file was changed after it was saved", state=state)
    path.write_text(json.dumps(json.loads(text)))  # the same in another shape
    assert here("apply", str(path)).code == 3


@pytest.mark.parametrize(
    "change",
    [
        {"format": "memrunbook.saved-plan/99"},
        {"plans": []},
        {"digests": [[]]},
        {"engine": 3},
        {"more": 1},
    ],
)
def test_what_this_version_does_not_understand_is_refused_by_name(tmp_path: Path, change: dict[str, Any]) -> None:
    path = _planned(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    here("apply", str(path)).refused(5, str(path), "cannot read the plan", hint="plan again")


@pytest.mark.parametrize("content", [b"", b"name: small\n", b"{}", b"[1, 2]", b"\xff\x00", b"[" * 100_000])
def test_what_is_no_plan_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    here("apply", str(path)).refused(2, "this is no saved plan", hint="--out FILE")
    here("apply", str(tmp_path / "none.json")).refused(2, "No such file", hint="--out FILE")
    here("apply", str(tmp_path)).refused(2, "Is a directory")


def test_a_plan_where_a_runbook_is_wanted_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _planned(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in (("run", str(path)), ("plan", "plan.json"), ("run", "./plan.json")):
        here(*words, "--host", "local").refused(2, "is a saved plan", hint="runbook apply ")


@alone
def test_parameters_and_watch_are_kept_and_a_secret_is_asked_for_again(tmp_path: Path) -> None:
    more = "parameters:\n  db_password: {type: string, default: hunter1, description: x}\n"
    more += "  n: {type: integer, default: 1, description: x}\n"
    named = book(tmp_path, act("one", "touch", str(tmp_path / "one")), resolved=NEVER, more=more)
    path = tmp_path / "plan.json"
    given = ["-p", "db_password=hunter2", "-p", "n=7"]
    assert here("plan", named, "--host", "local", "--out", str(path), *given).code == 0
    assert "hunter2" not in path.read_text()
    assert load_plan(path).saved.parameters == {"n": "7"}
    here("apply", str(path)).refused(2, "needs: db_password", hint="-p NAME=VALUE")
    here("apply", str(path), "-p", "n=8").refused(2, "the plan has its parameter 'n'", hint="plan again")
    ran = here("apply", str(path), "-p", "db_password=hunter2")
    assert ran.code == 3, ran.said
    assert (tmp_path / "one").exists()


@alone
def test_what_is_not_needed_any_more_is_passed_over_and_said(tmp_path: Path) -> None:
    done = tmp_path / "one"
    step = act("one", "touch", str(done)) + "    when: memory.total_bytes > parameters.least\n"
    more = "parameters: {least: {type: integer, default: 0, description: x}}\n"
    named = book(tmp_path, step, resolved=NEVER, more=more)
    path = tmp_path / "plan.json"
    assert here("plan", named, "--host", "local", "--out", str(path)).code == 0
    _rewritten(path, lambda saved: msgspec.structs.replace(saved, parameters={"least": str(1 << 62)}))
    ran = here("apply", str(path))
    assert "not needed" in ran.out
    assert not done.exists()


@alone
def test_a_refused_gate_saves_the_same_and_prints_the_command(tmp_path: Path) -> None:
    refused = here("run", _book(tmp_path, "one"), "--host", "local", "--yes", "--reason", "a drill")
    assert refused.code == 5
    [line] = [line for line in refused.out.splitlines() if line.startswith("To apply it:")]
    words = shlex.split(line.partition(":  ")[2])
    assert words[:2] == ["runbook", "apply"]
    assert words[3:] == ["--reason", "a drill"]
    assert here(*words[1:]).code == 3
    assert (tmp_path / "one").exists()


def test_a_plan_of_a_recording_has_no_host(tmp_path: Path) -> None:
    path = _planned(tmp_path)
    recorded = (Host("local", transport="replay", source="x"),)
    _rewritten(path, lambda saved: msgspec.structs.replace(saved, hosts=recorded))
    here("apply", str(path)).refused(2, "made from a recording", hint="runbook plan NAME --host HOST")


def test_the_schema_describes_the_file(tmp_path: Path) -> None:
    rules = json.loads((ROOT / "schemas" / "saved-plan.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(rules).validate(json.loads(_planned(tmp_path).read_text()))


def test_another_users_plan_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _planned(tmp_path)

    def denied(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(plans, "read_named", denied)
    here("apply", str(path)).refused(2, "the plan cannot be read: ", hint="chmod g+r")


@alone
def test_hosts_are_reached_as_they_were_named(sshd: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    named = _book(tmp_path, "one")
    planned = here("plan", named, *sshd.arguments, "--out", str(path))
    assert planned.code == 0, planned.said
    saved = load_plan(path).saved
    assert [(host.name, host.user, host.port) for host in saved.hosts] == [("127.0.0.1", sshd.user, sshd.port)]
    [line] = [line for line in planned.out.splitlines() if line.startswith("To carry it out:")]
    words = shlex.split(line.partition(":  ")[2])
    assert "--host" not in words
    ran = here(*words[1:])
    assert ran.code == 3, ran.said
    assert (tmp_path / "one").exists()


def test_a_folder_that_was_named_must_be_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    for option in ("--config-dir", "--runbooks"):
        here("list", option, missing).refused(2, option, missing, "no such folder", hint="check the path")
    (tmp_path / "file").touch()
    here("list", "--config-dir", str(tmp_path / "file")).refused(2, "this is no folder", hint="check the path")


def test_a_plan_is_its_makers_alone(tmp_path: Path) -> None:
    assert _planned(tmp_path).stat().st_mode & 0o777 == 0o600


@alone
def test_a_plan_of_several_hosts_is_carried_out_on_each(tmp_path: Path) -> None:
    needs_machines()
    path, hosts = tmp_path / "plan.json", "web1,web2"
    named = book(tmp_path, act("count", "sh", "-c", f"echo x >>{tmp_path / 'count'}"), resolved=NEVER)
    with machines(tmp_path / "farm", ("web1", "web2")) as farm:
        words = farm.arguments
        assert here("plan", named, f"--host={hosts}", *words, "--out", str(path)).code == 0
        assert [host.typed for host in load_plan(path).saved.hosts] == hosts.split(",")
        ran = here("apply", str(path), *words, "--forks", "1")
        assert ran.code == 3, ran.said
        assert (tmp_path / "count").read_text() == "x\nx\n"
        again = here("apply", str(path), *words, "--forks", "1")
        again.refused(5, "carried out before", hint=f"--host {hosts}")
        assert (tmp_path / "count").read_text() == "x\nx\n"
