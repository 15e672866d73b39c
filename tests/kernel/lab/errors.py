"""What the lab raises when a guest cannot be built, started, reached or brought into a state.

LabError
├── DeadlinePassed
└── CommandFailed
    └── Unreachable
"""


class LabError(Exception):
    """The lab could not do what was asked."""


class DeadlinePassed(LabError):  # noqa: N818  it says what happened
    """A condition did not come true in time."""


class CommandFailed(LabError):  # noqa: N818  it says what happened
    """A command on this machine or in a guest exited with another status than 0."""


class Unreachable(CommandFailed):
    """A guest did not answer over ssh."""
