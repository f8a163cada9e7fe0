"""The project as a Django app, so that its system checks run."""

from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class DrydockConfig(AppConfig):
    """Registers the system checks."""

    name = "config"
    label = "drydock"
    verbose_name = "Drydock"

    def ready(self) -> None:
        """Load the checks."""
        from config import checks  # noqa: F401


class BuiltFilesConfig(StaticFilesConfig):
    """Django's static files, without the front end's sources: what is served is what the build made of them."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "src", "*.mjs"]
