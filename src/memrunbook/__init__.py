"""memrunbook: agentless remediation runbooks for Linux memory incidents."""
