"""What holds for all tests: no example of a property is timed, as machines are shared and benchmarks live in bench/."""

from hypothesis import settings

settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")
