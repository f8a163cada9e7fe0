"""The app's registration with Django."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """`runs`."""

    name = "runs"

    def ready(self) -> None:
        """Connect the signal receivers."""
        from runs import receivers  # noqa: F401
