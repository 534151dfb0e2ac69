"""The code that is written, and where it is from."""
