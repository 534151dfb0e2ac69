"""The command line, and what runs beside it."""
