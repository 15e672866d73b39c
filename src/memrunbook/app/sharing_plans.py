"""Shares the plans that wait with other control nodes: by the store, where that is a server.

The files stay what everything else reads. What comes from the store is trusted no more than a file that somebody else
could write: its bytes must be of its digest, the names in it name no file, and signatures are judged as always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from memrunbook.app.actor import this_actor
from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.units import DAY
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state import disk
from memrunbook.state.applied import AppliedRuns
from memrunbook.state.approvals import (
    LARGEST,
    SignedApproval,
    add_approval,
    approvals_file,
    line_of,
    read_approvals,
)
from memrunbook.state.kept_plans import read_plans, recent_plans
from memrunbook.state.paths import prepare
from memrunbook.state.plans import PlanFile, read_plan
from memrunbook.state.signatures import FaultySignatureError, verified
from memrunbook.state.waiting import ENDING, FOLDER, Declined, decline, declines, kept, read_decline, remove

if TYPE_CHECKING:
    # SQLAlchemy is a quarter of a second and 30 MiB: who shares with nobody does not pay for it.
    from memrunbook.app.notice import Notice
    from memrunbook.app.stored import Stored, Told
    from memrunbook.documents.config import Config
    from memrunbook.state.store.changes import Store
    from memrunbook.state.store.plans import PlanClaim, SharedPlan

LATE = 7.0 * DAY
"""Seconds: a plan that expired so long ago is neither listed nor shared any more."""
MOST_BYTES = 256 << 20
"""Of plans that other control nodes keep, in the folder of those that wait here."""
FETCHED = re.compile(rf"[0-9a-f]{{64}}{re.escape(ENDING)}", re.ASCII)
"""The name of a plan that was kept elsewhere: its digest, which no schedule is called like."""
UNKNOWN_THERE = "other control nodes do not know yet of the plan that waits here"
UNUSED = "nothing of it is used here; see who may write the store"
NOT_SHARED = "what other control nodes keep is not known now"

Claims = Mapping[tuple[str, str], "PlanClaim"]
"""By digest and host, which run carries a plan out, on whatever node."""


def written_since(config: Config, now: float) -> float:
    """Since when a plan's file was written that is of use still, in seconds since 1970."""
    return now - LATE - max(config.deadline, LATE)


def unheard(_said: str, _hint: str) -> None:
    """Nobody is told."""


def share_plans(stored: Stored, told: Told = unheard, also: PlanFile | None = None) -> Claims:
    """Brings what waits elsewhere here, and what waits here there: plans, their approvals, and what was declined.

    `also` is another plan's file whose approvals are shared. What cannot be used is `told`, with a hint. JournalError
    where the store does not answer. Where it is no server, nothing is shared, and nobody has claimed anything.
    """
    if stored.file is not None:
        return {}
    from memrunbook.state.store import plans

    with closing(stored.open()) as store:
        now = SystemClock().now().utc
        claims = {(one.digest, one.host): one for one in plans.claims(store, now - LATE)}
        _Sharing(store, stored.state, now, written_since(stored.config, now), told, claims).all([also] if also else [])
        return claims


def shared_if_it_answers(stored: Stored, told: Told = unheard, said: str = NOT_SHARED) -> Claims:
    """The same where the store answers; else that is `told`, and nobody has claimed anything as far as is known."""
    try:
        return share_plans(stored, told)
    except JournalError as error:
        told(f"{said}: {error}", error.hint)
        return {}


def share_saved(saved: Mapping[str, Path], stored: Stored, notice: Notice) -> None:
    """Shares what the gates of a run refused; where the store does not answer that is told, and it waits here."""
    if saved:
        shared_if_it_answers(stored, notice.remark, UNKNOWN_THERE)


def share_approvals(stored: Stored, file: PlanFile, told: Told = unheard) -> None:
    """Brings the approvals of one plan here and there, where it is shared; JournalError as above."""
    if stored.file is not None:
        return
    from memrunbook.state.store import plans

    with closing(stored.open()) as store:
        since = SystemClock().now().utc - LATE
        if any(one.digest == file.digest for one in plans.shared(store, since)):
            _exchange(store, file, plans.approvals(store, since).get(file.digest, {}), told)


def _exchange(store: Store, file: PlanFile, there: Mapping[str, bytes], told: Told) -> None:
    """The approvals of one plan, here and there."""
    from memrunbook.state.store import plans

    def unshared(error: UsageError) -> None:
        told(f"an approval of plan {file.digest[:8]} is not shared: {redact(str(error))}", error.hint)

    try:
        here = {plans.sha256(line): line for line in map(line_of, read_approvals(file.path))}
    except UsageError as error:
        unshared(error)
        return
    for name in [one for one in here if one not in there]:
        plans.approve(store, file.digest, here[name], SystemClock().now().utc)
    for line in [there[one] for one in there if one not in here]:
        try:
            add_approval(file.path, _approval(file, line))
        except UsageError as error:
            unshared(error)


def _approval(file: PlanFile, line: bytes) -> SignedApproval:
    """An approval that came from the store; UsageError for none: a faulty signature would make the plan void."""
    path = approvals_file(file.path)
    try:
        found = msgspec.json.decode(line, type=SignedApproval)
        verified(found.signature, file.content)
    except (msgspec.DecodeError, UnicodeDecodeError, FaultySignatureError) as error:
        raise UsageError(f"what the store has is none: {error}", hint=UNUSED) from None
    if path.exists() and path.stat().st_size + len(line) >= LARGEST:
        raise UsageError("there are more than a file holds", where=str(path), hint=UNUSED)
    return found


@dataclass
class _Sharing:
    """One time that a control node and the store tell each other what they have."""

    store: Store
    state: Path
    now: float
    since: float
    told: Told
    claims: Claims = field(default_factory=dict)

    def all(self, also: Sequence[PlanFile]) -> None:
        from memrunbook.state.store import plans

        self._sweep()
        here = sorted(recent_plans(self.state, self.since), key=_taken)
        there = {one.digest: one for one in plans.shared(self.store, self.now - LATE)}
        said_no = self._declined(there)
        new = [one for one in here if one.digest not in there and one.digest not in said_no and self._lasts(one)]
        published = self._publish(new)
        lines = plans.approvals(self.store, self.now - LATE)
        fetched = self._fetch(
            [one for one in there.values() if one.digest not in said_no], {one.digest for one in here}
        )
        for file in (*here, *fetched, *also):
            if file.digest in there or file.digest in published:
                _exchange(self.store, file, lines.get(file.digest, {}), self.told)
        self._withdraw([file for file in here if file.digest in there and there[file.digest].withdrawn])

    def _declined(self, there: Mapping[str, SharedPlan]) -> set[str]:
        """What was declined, here or there: on both sides then."""
        from memrunbook.state.store import plans

        here = {one.digest: one for one in declines(self.state)}
        for digest, shared in there.items():
            if digest in here and not shared.declined:
                plans.decline(self.store, digest, msgspec.json.encode(here[digest]))
            elif shared.declined and digest not in here and (one := self._no(shared)) is not None:
                decline(prepare(self.state), one)
                here[digest] = one
        return set(here)

    def _no(self, shared: SharedPlan) -> Declined | None:
        found = read_decline(shared.declined.encode())
        if found is None or found.digest != shared.digest:
            self._unused(f"who declined plan {shared.digest[:8]} cannot be read in the store")
            return None
        return found

    def _publish(self, new: Sequence[PlanFile]) -> set[str]:
        """What waits here, the oldest first: a newer one takes the place of it there as well. The digests of it."""
        from memrunbook.state.store import plans

        published = set[str]()
        applied = AppliedRuns(self.state) if new else None
        for file in new:
            plan = file.saved.plans[0]
            if len(file.content) > plans.LARGEST:
                self._unused(f"the plan is too large to be shared: {file.path}")
            elif applied is not None and not applied.newest(file.digest, plan.host):
                waits = file.path.parent.name == FOLDER and "@" in file.path.name
                shared = plans.SharedPlan(
                    digest=file.digest,
                    kept_as=file.path.name.partition("@")[0] if waits else "",
                    host=plan.host,
                    machine=plan.identity.machine_id,
                    runbook=plan.runbook,
                    node=this_actor().control_node,
                    at=_taken(file),
                    until=max(one.expires_at for one in file.saved.plans),
                )
                plans.publish(self.store, shared, file.content)
                published.add(file.digest)
        return published

    def _lasts(self, file: PlanFile) -> bool:
        """True for a plan that can be applied still: it is as it was saved, and has something to do."""
        return file.changed is None and any(one.expires_at > self.now and one.changes for one in file.saved.plans)

    def _fetch(self, there: Sequence[SharedPlan], here: set[str]) -> list[PlanFile]:
        """The plans that wait elsewhere, as files here."""
        from memrunbook.state.store import plans

        wanted = [
            one for one in there
            if one.digest not in here and not one.withdrawn and one.until > self.now
            and (one.digest, one.host) not in self.claims
        ]  # fmt: skip
        room, found = MOST_BYTES - sum(path.stat().st_size for path in self._fetched()), list[PlanFile]()
        for one in wanted:
            room -= one.size
            if one.size > plans.LARGEST or room < 0:
                self._unused(f"plan {one.digest[:8]} of the store is too large to be kept here")
                continue
            try:
                found.append(self._kept(one.digest, plans.content_of(self.store, one.digest)))
            except (Refused, UsageError) as error:
                self._unused(f"plan {one.digest[:8]} is not taken: {error.message}")
        return found

    def _kept(self, digest: str, content: bytes) -> PlanFile:
        """A plan of the store as a file; UsageError or Refused for what is none."""
        path = prepare(self.state) / FOLDER / f"{digest}{ENDING}"
        file = read_plan(path, content)
        disk.make_directory(path.parent)
        disk.replace(path, content)
        return file

    def _withdraw(self, replaced: Sequence[PlanFile]) -> None:
        """A plan that a newer one replaced, wherever that was made, waits no more; one that somebody approved does."""
        for file in replaced:
            if file.path.parent.name == FOLDER and not approvals_file(file.path).exists():
                remove(file.path)

    def _sweep(self) -> None:
        """Lets go of what came from elsewhere and was over long ago: it is not listed any more."""
        for file in read_plans(self._fetched()):
            if all(one.expires_at < self.now - LATE for one in file.saved.plans):
                remove(file.path)

    def _fetched(self) -> Iterator[Path]:
        return (path for path in kept(self.state) if FETCHED.fullmatch(path.name))

    def _unused(self, said: str) -> None:
        self.told(redact(said), UNUSED)


def _taken(file: PlanFile) -> float:
    return max((one.taken_at.utc for one in file.saved.plans), default=0.0)
