"""The lab of a run as its learner has it, on the page and to take home."""

from __future__ import annotations

import io
import zipfile

from django.http import Http404, HttpResponse
from runs.models import Run

from labs.kit import catalog, takehome
from labs.kit.lab import Lab


def lab_of(run: Run) -> Lab:
    """The run's variant of its lab. Raises Http404."""
    try:
        return catalog.load().lab(run.lab_slug).variant(run.seed)
    except KeyError:
        raise Http404 from None  # the lab has left the course since


def packed(run: Run, language: str, goal: str) -> HttpResponse:
    """The lab as a ZIP archive of plain manifests (`labs.kit.takehome`). Raises Http404."""
    lab = lab_of(run)
    files = takehome.files(lab, language if language in lab.title else run.language, goal)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, text in files.items():
            folder.writestr(f"{lab.slug}/{name}", text)
    headers = {"Content-Disposition": f'attachment; filename="{lab.slug}.zip"'}
    return HttpResponse(archive.getvalue(), content_type="application/zip", headers=headers)
