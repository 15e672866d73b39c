"""What holds for all tests: Ctrl-C works, /run is their own, no example of a property is timed (bench/ times)."""

import signal

from hypothesis import settings
from tests.apart import own_run_folder

# A shell's background job, and so its children, ignore it: then no test of an interruption could pass.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")

own_run_folder()
