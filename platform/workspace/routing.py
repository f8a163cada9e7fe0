"""WebSocket addresses."""

from django.urls import path

from workspace.consumers import TerminalConsumer

websocket_urlpatterns = [path("runs/<uuid:run_id>/terminal/", TerminalConsumer.as_asgi())]
