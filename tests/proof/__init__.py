"""The proof: reports, what is caught, and under which options."""
