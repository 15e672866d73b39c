"""`runbook` beside what its users would pick instead: the same two jobs, the same hosts, one run (`make bench-peers`)."""
