"""The engine host: what runs inside a Celery worker of the queue `labs`."""
