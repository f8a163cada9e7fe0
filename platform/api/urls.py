"""`/api/…`."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from api import hinting, replying, reviewing, run_views, views
from api.docs import docs
from api.waiting import waiting

app_name = "api"

submission = views.SubmissionView.as_view()

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("docs/", docs, name="docs"),
    path("v1/labs/", views.LabListView.as_view(), name="labs"),
    path("v1/labs/<slug:slug>/", views.LabView.as_view(), name="lab"),
    path(
        "v1/labs/<slug:slug>/submissions/",
        waiting(views.SubmissionListView.as_view(), submission),
        name="lab_submissions",
    ),
    path(
        "v1/labs/<slug:slug>/submissions/<uuid:submission_id>/",
        waiting(views.LabSubmissionView.as_view(), submission),
        name="lab_submission",
    ),
    path("v1/lessons/", views.LessonListView.as_view(), name="lessons"),
    path("v1/submissions/<uuid:submission_id>/", waiting(submission, submission), name="submission"),
    path("v1/grades/", views.GradeListView.as_view(), name="grades"),
    path("v1/appeals/", replying.AppealListView.as_view(), name="appeals"),
    path("v1/appeals/<int:appeal_id>/read/", replying.AppealReadView.as_view(), name="appeal_read"),
    path("v1/review/", reviewing.ReviewListView.as_view(), name="review"),
    path("v1/review/repairs/", reviewing.ReviewRepairsView.as_view(), name="review_repairs"),
    path("v1/review/<slug:question>/", reviewing.ReviewAnswerView.as_view(), name="review_answer"),
    path("v1/classes/", views.ClassListView.as_view(), name="classes"),
    path("v1/classes/join/", views.ClassJoinView.as_view(), name="class_join"),
    path("v1/classes/<int:class_id>/", views.ClassView.as_view(), name="class"),
    path("v1/runs/", run_views.RunListView.as_view(), name="runs"),
    path("v1/runs/<uuid:run_id>/", run_views.RunView.as_view(), name="run"),
    path("v1/runs/<uuid:run_id>/token/", run_views.RunTokenView.as_view(), name="run_token"),
    path("v1/runs/<uuid:run_id>/clock/", run_views.RunClockView.as_view(), name="run_clock"),
    path("v1/runs/<uuid:run_id>/why/", run_views.RunWhyView.as_view(), name="run_why"),
    path("v1/runs/<uuid:run_id>/requests/", run_views.RunRequestsView.as_view(), name="run_requests"),
    path("v1/runs/<uuid:run_id>/past/", run_views.RunPastView.as_view(), name="run_past"),
    path("v1/runs/<uuid:run_id>/whatif/", run_views.RunWhatIfView.as_view(), name="run_whatif"),
    path("v1/runs/<uuid:run_id>/branches/", run_views.RunBranchesView.as_view(), name="run_branches"),
    path("v1/runs/<uuid:run_id>/hint/", hinting.RunHintView.as_view(), name="run_hint"),
    path("v1/runs/<uuid:run_id>/steps/", run_views.RunStepsView.as_view(), name="run_steps"),
    path("v1/runs/<uuid:run_id>/takehome/", run_views.RunTakehomeView.as_view(), name="run_takehome"),
    path(
        "v1/runs/<uuid:run_id>/branches/<int:number>/", run_views.RunBranchView.as_view(), name="run_branch"
    ),
    path("v1/me/", views.MeView.as_view(), name="me"),
]
