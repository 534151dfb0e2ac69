"""Runs models side by side and compares bits; the report, the certificate, loading."""
