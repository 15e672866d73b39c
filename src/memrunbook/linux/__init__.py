"""What we know of Linux memory, as pure functions: OOM logs, services, control groups, fragmentation."""
