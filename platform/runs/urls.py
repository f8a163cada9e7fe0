"""`/runs/<id>/…`: the workspace page and what its scripts call."""

from django.urls import path
from workspace import endpoints
from workspace.views import after, workspace

app_name = "runs"

urlpatterns = [
    path("<uuid:run_id>/", workspace, name="workspace"),
    path("<uuid:run_id>/after/", after, name="after"),
    path("<uuid:run_id>/state/", endpoints.state, name="state"),
    path("<uuid:run_id>/check/", endpoints.check, name="check"),
    path("<uuid:run_id>/written/", endpoints.written, name="written"),
    path("<uuid:run_id>/takehome/", endpoints.takehome, name="takehome"),
    path("<uuid:run_id>/appeal/", endpoints.appeal, name="appeal"),
    path("<uuid:run_id>/hint/", endpoints.hint, name="hint"),
    path("<uuid:run_id>/apply/", endpoints.apply, name="apply"),
    path("<uuid:run_id>/diff/", endpoints.diff, name="diff"),
    path("<uuid:run_id>/lint/", endpoints.lint, name="lint"),
    path("<uuid:run_id>/clock/", endpoints.clock, name="clock"),
    path("<uuid:run_id>/why/", endpoints.why, name="why"),
    path("<uuid:run_id>/requests/", endpoints.requests, name="requests"),
    path("<uuid:run_id>/past/", endpoints.past, name="past"),
    path("<uuid:run_id>/timeline/", endpoints.timeline, name="timeline"),
    path("<uuid:run_id>/whatif/", endpoints.whatif, name="whatif"),
    path("<uuid:run_id>/branches/", endpoints.branches, name="branches"),
    path("<uuid:run_id>/files/", endpoints.files, name="files"),
    path("<uuid:run_id>/preview/", endpoints.preview, name="preview"),
    path("<uuid:run_id>/reset/", endpoints.reset, name="reset"),
    path("<uuid:run_id>/stop/", endpoints.stop, name="stop"),
    path("<uuid:run_id>/kubeconfig/", endpoints.kubeconfig, name="kubeconfig"),
]
