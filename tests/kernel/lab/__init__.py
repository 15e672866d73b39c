"""The lab: builds a Debian image once, boots it, keeps a snapshot, and puts fresh guests into a known state."""
