"""Random valid specs, and an independent reading of them: what nngen writes beside plain torch.nn modules.

`strategies` draws specs, `reading` makes a model of one at run time, `check` compares, `campaign` does so many times.
"""
