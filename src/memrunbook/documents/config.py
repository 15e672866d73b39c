"""Reads `config.yaml`: what an organisation asks of everybody who uses the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.plan.limits import Limits
from memrunbook.core.units import Duration
from memrunbook.documents.problems import convert
from memrunbook.documents.remembered import (
    LimitsSpec,
    LogPlace,
    StoreAt,
    StorePlace,
    StoreSpec,
    limits_of,
    log_place,
    store_at,
)
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load

DAY = 86_400.0
FilePath = Annotated[str, Meta(min_length=1, description="a path; one that is not absolute lies beside config.yaml")]


class ConfigSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """config.yaml. `deadline` is how long after it was made a plan that needs approvals can be approved and applied."""

    approvals: tuple[ApprovalRule, ...] = ()
    allowed_signers: FilePath | None = None
    revoked_keys: FilePath | None = None
    deadline: Duration | None = None
    store: StorePlace | StoreSpec | None = None
    forward: LogPlace | None = None
    limits: LimitsSpec | None = None


@dataclass(frozen=True)
class Config:
    """What config.yaml says; without one nothing is asked. `deadline` is in seconds."""

    approvals: tuple[ApprovalRule, ...] = ()
    allowed_signers: Path | None = None
    revoked_keys: Path | None = None
    deadline: float = DAY
    store: StoreAt = field(default_factory=StoreAt)
    forward: str = ""
    limits: Limits = field(default_factory=Limits)


def load_config(path: Path) -> Config:
    """The configuration in a file; DocumentError with every problem and its place."""
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "mend or move it"
        raise DocumentError([Problem(str(path), f"the file cannot be read: {error.strerror}", hint)]) from None
    source = load(content, str(path))
    spec = convert(source, source.data, ConfigSpec)
    if spec.approvals and spec.allowed_signers is None:
        hint = "allowed_signers: FILE, in the format of ssh-keygen(1): whose keys count"
        where = source.where_key(("approvals",))
        raise DocumentError([Problem(where, "approvals are asked for, and nobody is allowed to give one", hint)])
    files = {
        name: _file(source, path.parent, name, getattr(spec, name)) for name in ("allowed_signers", "revoked_keys")
    }
    return Config(
        spec.approvals,
        **files,
        deadline=DAY if spec.deadline is None else float(spec.deadline),
        store=store_at(source, path.parent, spec.store),
        forward=log_place(source, spec.forward),
        limits=limits_of(source, spec.limits),
    )


def _file(source: Source, folder: Path, name: str, given: str | None) -> Path | None:
    """The file that a key names; one that is not there is a mistake, not an empty file."""
    if given is None:
        return None
    path = folder / Path(given).expanduser()
    if not path.is_file():
        raise DocumentError([Problem(source.where((name,)), f"there is no file {path}", "write its path, or make it")])
    return path
