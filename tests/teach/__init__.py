"""Lessons, pitfalls, notebooks."""
