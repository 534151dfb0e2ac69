"""Sizes, abstract tensors, expressions and their evaluation; in `rules`, what shapes come of operations."""
