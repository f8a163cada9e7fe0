"""What a host answers when it cannot do what was asked."""


class HostError(Exception):
    """A refusal with a status and a sentence for the learner, in the language of whoever asks."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
