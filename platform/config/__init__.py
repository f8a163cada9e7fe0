"""The project: settings, URL table, ASGI and Celery entry points, what every request passes through."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
