"""The URL table. `/clusters/…` and the terminal's WebSocket never come here: see `asgi.py`."""

from course import views as course_views
from django.contrib import admin
from django.urls import include, path
from workspace import previews

from config import errors, health

urlpatterns = [
    path("", course_views.home, name="home"),
    path("", include("course.urls")),
    path("review/", include("review.urls")),
    path("runs/", include("runs.urls")),
    path("preview/<str:token>/", previews.preview),
    path("preview/<str:token>/<path:path>", previews.preview),
    path("grades/", include("grading.urls")),
    path("classes/", include("accounts.class_urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("healthz/", health.healthz),
    path("readyz", health.readyz, name="readyz"),
    path("readyz/", health.readyz),
    path("admin/", admin.site.urls),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
