"""What the owner of a run can do with its clock; `runs.host.clock` does it."""

ACTIONS = ("pause", "resume", "speed", "step", "advance", "until", "back", "return", "predict")
SPEEDS = (0.1, 0.5, 1.0, 2.0, 10.0, 100.0)
"""Virtual seconds a second that may be chosen."""
LEAP_LIMIT = 3_600.0
"""Virtual seconds of one leap, and how far a step, or the way to a condition, looks ahead."""


def numbers(values: tuple[float, ...] = SPEEDS) -> list[str]:
    """As people write them."""
    return [f"{each:g}" for each in values]
