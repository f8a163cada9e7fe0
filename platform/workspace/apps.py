"""The app's registration with Django."""

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    """`workspace`."""

    name = "workspace"
