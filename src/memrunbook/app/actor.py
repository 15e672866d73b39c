"""Who runs this, as far as the machine knows."""

from __future__ import annotations

import os
import sys

from memrunbook.core.run.record import Actor
from memrunbook.transports.shared.this_user import login_user, sudo_user, this_user


def this_actor() -> Actor:
    """User, uid, sudo user, login, SSH client, terminal and control node of this process."""
    tty = os.ttyname(0) if sys.stdin is not None and sys.stdin.isatty() else ""
    return Actor(
        user=this_user(),
        uid=str(os.getuid()),
        sudo_user=sudo_user(),
        login_user=login_user(),
        ssh_client=os.environ.get("SSH_CLIENT", "").partition(" ")[0],
        tty=tty,
        control_node=os.uname().nodename,
    )
