"""What becomes of a spec's steps."""
