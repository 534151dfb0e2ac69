"""A spec means what it says: both twins are what plain torch.nn modules, written by hand, are."""
