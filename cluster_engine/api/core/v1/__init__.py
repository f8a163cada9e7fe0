"""core/v1: one file per kind, and what several kinds share."""
