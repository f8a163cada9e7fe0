"""`/grades/`."""

from django.urls import path

from grading import views

app_name = "grading"

urlpatterns = [
    path("", views.grades, name="grades"),
    path("<int:user_id>/<slug:slug>/", views.attempts, name="attempts"),
    path("runs/<uuid:run_id>/", views.learner_run, name="run"),
    path("runs/<uuid:run_id>/kubeconfig/", views.reading_kubeconfig, name="reading_kubeconfig"),
    path("appeals/<int:appeal_id>/", views.appeal, name="appeal"),
    path("appeals/<int:appeal_id>/read/", views.read_reply, name="read_reply"),
    path("grades.csv", views.grades_csv, name="grades_csv"),
]
