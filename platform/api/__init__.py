"""`/api/v1/`: the platform for programs."""
