"""Verification of twins that are written by hand."""
