"""Actions: what they propose, what they should move, and what they may never touch."""
