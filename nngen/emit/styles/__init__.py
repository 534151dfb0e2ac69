"""The styles a model is written in."""
