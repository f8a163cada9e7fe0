"""The app's registration with Django."""

from django.apps import AppConfig


class GradingConfig(AppConfig):
    """`grading`."""

    name = "grading"

    def ready(self) -> None:
        """Connect the signal receivers."""
        from grading import receivers  # noqa: F401
