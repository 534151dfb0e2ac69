"""What the catalog says of torch, held against the installed torch."""
