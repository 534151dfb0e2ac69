"""What nngen and its models cost, beside others."""
