"""The app's registration with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """`accounts`."""

    name = "accounts"

    def ready(self) -> None:
        """Connect the signal receivers."""
        from accounts import receivers  # noqa: F401
