"""What the ways share."""
