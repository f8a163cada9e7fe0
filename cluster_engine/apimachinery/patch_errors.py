"""The error that all patches raise."""

from __future__ import annotations

BAD_REQUEST, INVALID, TOO_LARGE = "BadRequest", "Invalid", "RequestEntityTooLarge"


class PatchError(ValueError):
    """A patch that cannot be applied. ``reason`` is BadRequest (400), Invalid (422) or
    RequestEntityTooLarge (413)."""

    def __init__(self, text: str, reason: str = BAD_REQUEST) -> None:
        super().__init__(text)
        self.reason = reason
