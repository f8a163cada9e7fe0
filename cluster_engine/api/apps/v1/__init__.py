"""apps/v1: one file per kind."""
