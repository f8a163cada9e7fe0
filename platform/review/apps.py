"""The app's registration with Django."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """`review`."""

    name = "review"

    def ready(self) -> None:
        """Connect the signal receivers."""
        from review import receivers  # noqa: F401
