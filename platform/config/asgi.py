"""The ASGI entry point: `uvicorn config.asgi:application`.

Three doors: `/clusters/…` goes to the proxy beside Django (its middleware would cost about forty times the
proxy), the terminal's WebSocket to Channels, and everything else to Django.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
for _path in (str(_ROOT), str(_ROOT / "platform")):
    if _path not in sys.path:
        sys.path.insert(0, _path)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from runs.proxy.app import ClusterProxy  # noqa: E402
from workspace.routing import websocket_urlpatterns  # noqa: E402

from config.caller import BehindProxies  # noqa: E402
from config.doors import ClusterDoor  # noqa: E402
from config.sockets import SocketDoor  # noqa: E402

sockets = SocketDoor(websocket_urlpatterns, AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
application = BehindProxies(
    ClusterDoor(
        clusters=ClusterProxy(),
        others=ProtocolTypeRouter({"http": django_application, "websocket": sockets}),
    )
)
