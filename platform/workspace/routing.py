"""WebSocket addresses."""

from django.urls import path

from workspace.consumers import RunConsumer

websocket_urlpatterns = [path("runs/<uuid:run_id>/socket/", RunConsumer.as_asgi())]
