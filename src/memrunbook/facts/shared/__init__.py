"""What several facts use."""
