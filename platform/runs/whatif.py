"""What may be tried beside a run's cluster; `runs.host.whatif` does it."""

ACTIONS = ("delete", "apply", "drain", "power-off", "cut-off", "kill")
SECONDS_LIMIT = 3_600
"""Virtual seconds that are looked ahead at most."""
