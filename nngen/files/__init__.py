"""Text to files, whole or not at all, and what is up to date."""
