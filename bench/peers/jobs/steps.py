"""The five steps as commands of their own, for tools that send one after the other."""

STEP = '[ "$(cat {0})" = {1} ] || printf "%s\\n" {1} >{0}; [ "$(cat {0})" = {1} ]'
CLUSTER, BOOST = "/proc/sys/vm/page-cluster", "/proc/sys/vm/watermark_boost_factor"
CHANGES = ((CLUSTER, 2), (BOOST, 0), (CLUSTER, 1), (BOOST, 15000), (CLUSTER, 3))
STEPS = tuple(STEP.format(file, value) for file, value in CHANGES)
