"""What doctor prints: a control node that is well, one that is not, and a host whose login can do little."""

from __future__ import annotations

from memrunbook.runtime.inspection import Inspection
from memrunbook.ui.block import Block
from memrunbook.ui.doctor import doctor_view, hosts_view

WELL = (
    Inspection(area="programs", name="memrunbook", said="0.1.0, Python 3.11.7"),
    Inspection(area="programs", name="ssh-keygen", said="/usr/bin/ssh-keygen"),
    Inspection(
        area="agent", name="ssh agent", state="note", said="none (SSH_AUTH_SOCK is not set): keys are read from files"
    ),
    Inspection(area="documents", name="runbooks", said="10 can be used"),
)
SPOILT = (
    *WELL[:2],
    Inspection(area="agent", name="ssh agent", state="missing",
               remedy="SSH_AUTH_SOCK= before the command goes without it",
               said="/run/agent accepts, and did not answer within 10 s: every login would fail"),
    Inspection(area="state", name="files", state="missing", remedy="as root: chgrp -R runbook /var/lib/memrunbook-team",
               said="2 of other users or not of the group: ledger.jsonl, store.sqlite"),
)  # fmt: skip
PLAIN = (
    Inspection(area="way", name="TCP", said="192.0.2.7 port 22"),
    Inspection(area="way", name="sudo", state="missing", said="sudo gave ada no root: sudo: a password is required",
               remedy="add -K, which asks for the password once; or log in as root"),
    Inspection(area="reads", name="oom", state="missing", said="not allowed: dmesg: Operation not permitted",
               remedy="log in as root, or let sudo make this login root", wanted_by=("oom-event", "memory-shortage")),
    Inspection(area="changes", name="drop-caches", state="missing", said="not allowed to drop caches",
               remedy="log in as root", wanted_by=("drop_caches (memory-shortage)",)),
    Inspection(area="changes", name="lru-gen", state="note", said="nothing here to set the multi-generational LRU"),
    Inspection(area="changes", name="lock", said="lock the host for one run at a time"),
    Inspection(area="changes", name="start", said="start programs"),
)  # fmt: skip


def doctor_pages() -> list[Block]:
    """One page after another."""
    return [
        *doctor_view("this control node", WELL),
        *doctor_view("this control node", SPOILT),
        *doctor_view("search-03", PLAIN),
        *doctor_view("search-03", PLAIN[4:], verbose=True),
        *(block for page in hosts_view({"web1": WELL, "web2": WELL, "search-03": PLAIN}) for block in page),
    ]
