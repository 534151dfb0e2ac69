"""A model to the text of its files."""
