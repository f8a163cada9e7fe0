"""Addresses of the course pages (the front page itself is named `home` in config.urls)."""

from django.urls import path

from course import views

app_name = "course"

urlpatterns = [
    path("lessons/<slug:slug>/", views.lesson, name="lesson"),
    path("labs/<slug:slug>/", views.lab, name="lab"),
]
