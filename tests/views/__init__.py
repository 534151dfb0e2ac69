"""What shows a model."""
