"""`/classes/`."""

from django.urls import path

from accounts import class_views

app_name = "classes"

urlpatterns = [
    path("", class_views.classes, name="classes"),
    path("<int:class_id>/", class_views.classroom, name="classroom"),
]
