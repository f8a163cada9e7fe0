"""`/grades/`."""

from django.urls import path

from grading import views

app_name = "grading"

urlpatterns = [
    path("", views.grades, name="grades"),
    path("grades.csv", views.grades_csv, name="grades_csv"),
]
