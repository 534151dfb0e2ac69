"""Mutation testing of the proof: faults put into twins one at a time, which `verify` must catch.

`source` reads a generated file and edits it, `catalogue` names every fault, the other modules
hold them by kind, `equivalent` tells mutants that compute the same bits, `trial` verifies a
mutant, `hunt` chooses them; `python -m tests.mutants` runs them.
"""
