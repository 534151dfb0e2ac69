"""From YAML to a spec, and what is said of one that is wrong."""
