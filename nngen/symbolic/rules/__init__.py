"""The named shape rules that catalog entries point to, one file a family.

A rule is a function of the arguments and inputs that it names, as an entry spells them; it returns a Tensor, or a
tuple of them, and raises Fault where torch would refuse. Its arithmetic holds for open sizes as for numbers.
"""
