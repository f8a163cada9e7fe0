"""The learner's desk: terminal, files, check, apply."""
