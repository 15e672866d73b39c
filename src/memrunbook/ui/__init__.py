"""What a person sees; the only owner of rich."""
