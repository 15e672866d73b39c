"""What holds for all tests: Ctrl-C works, and no example of a property is timed (benchmarks live in bench/)."""

import signal

from hypothesis import settings

# A shell's background job, and so its children, ignore it: then no test of an interruption could pass.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")
