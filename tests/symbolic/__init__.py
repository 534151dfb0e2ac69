"""Sizes, tensors, expressions and shape rules, beside torch."""
