"""What shows a model without writing it: summary, diagram, diff, the list of layers."""
