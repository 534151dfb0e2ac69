"""The playground: a spec that is edited, and what comes of it, stage by stage."""
