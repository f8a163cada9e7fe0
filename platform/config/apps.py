"""The project as a Django app, so that its system checks run."""

from django.apps import AppConfig


class DrydockConfig(AppConfig):
    """Registers the system checks."""

    name = "config"
    label = "drydock"
    verbose_name = "Drydock"

    def ready(self) -> None:
        """Load the checks."""
        from config import checks  # noqa: F401
