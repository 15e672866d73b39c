"""Joins the config.yaml that binds everybody with one's own: of what both say the stricter counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from memrunbook.core.plan.limits import Limits
from memrunbook.documents.config import Config, Defaults
from memrunbook.documents.remembered import RANGES
from memrunbook.documents.serving import Serving


def joined(binding: Config, own: Config, folder: Path) -> Config:
    """Both as one. Lines of the binding file, which lies in `folder`, are told with that folder.

    What asks or forbids something is joined; `defaults`, `store`, `forward`, `history` are one's own where one says so.
    Of `serve` the binding one counts as a whole, but that one's own may take roles away; and of two receivers of one
    name and two entries for one alert.
    """
    binding = _located(binding, folder)
    reasons = [one for one in (binding, own) if one.reason_from is not None]
    reason = min(reasons, key=lambda one: one.reason_from or 0, default=own)
    return Config(
        approvals=(*binding.approvals, *own.approvals),
        allowed_signers=_both(binding.allowed_signers, own.allowed_signers),
        revoked_keys=_both(binding.revoked_keys, own.revoked_keys),
        deadline=min((one.deadline for one in (binding, own) if "deadline" in one.said), default=own.deadline),
        defaults=_defaults(binding.defaults, own.defaults),
        untouchable=(*binding.untouchable, *own.untouchable),
        maximum_risk=(*binding.maximum_risk, *own.maximum_risk),
        freeze=(*binding.freeze, *own.freeze),
        reason_from=reason.reason_from,
        reason_where=reason.reason_where,
        store=own.store if "store" in own.said else binding.store,
        forward=own.forward if "forward" in own.said else binding.forward,
        limits=_limits(binding, own),
        history=own.history if "history" in own.said else binding.history,
        notify=tuple({one.name: one for one in (*own.notify, *binding.notify)}.values()),
        alerts=(*binding.alerts, *own.alerts),
        serve=_serving(binding, own),
        said=binding.said | own.said,
    )


def _located(config: Config, folder: Path) -> Config:
    """The same, saying of each line in which of two files of one name it stands."""
    return replace(
        config,
        untouchable=tuple(
            replace(one, rule=structs.replace(one.rule, where=f"{folder}/{one.rule.where}"))
            for one in config.untouchable
        ),
        maximum_risk=tuple(replace(one, where=f"{folder}/{one.where}") for one in config.maximum_risk),
        freeze=tuple(structs.replace(one, where=f"{folder}/{one.where}") for one in config.freeze),
        alerts=tuple(structs.replace(one, where=f"{folder}/{one.where}") for one in config.alerts),
        reason_where=f"{folder}/{config.reason_where}" if config.reason_where else "",
    )


def _both(binding: Iterable[Path], own: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((*binding, *own)))


def _defaults(binding: Defaults, own: Defaults) -> Defaults:
    said = {one.name: getattr(own, one.name) for one in fields(own)}
    return replace(binding, **{name: value for name, value in said.items() if value not in ("", 0, (), None)})


def _serving(binding: Config, own: Config) -> Serving:
    """Nobody signs in by a way, or gets a role, of one's own file that the binding one does not give."""
    if "serve" not in binding.said:
        return own.serve
    if "serve.roles" not in own.said:
        return binding.serve
    return replace(binding.serve, roles=binding.serve.roles.within(own.serve.roles))


def _limits(binding: Config, own: Config) -> Limits:
    """A longer time and a smaller count is stricter."""
    found: dict[str, Any] = {}
    for name in Limits.__struct_fields__:
        said = [getattr(one.limits, name) for one in (binding, own) if f"limits.{name}" in one.said]
        if said:
            found[name] = max(said) if name in RANGES else min(said)
    return Limits(**found)
