"""Django application: course."""

from django.apps import AppConfig


class CourseConfig(AppConfig):
    name = "course"
    label = "course"
