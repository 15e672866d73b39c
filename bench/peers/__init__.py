"""`runbook` beside what its users would pick instead: the same two jobs and hosts, in one run (`make bench-peers`)."""
