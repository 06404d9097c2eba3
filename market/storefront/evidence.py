"""Evidence files leave the house only as a download, and only to those whom they concern."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from products.organisations.models import Organisation, User
from products.record.evidence import keep, may_read
from products.record.models import Evidence


def keep_upload(
    file: UploadedFile | None, *, organisation: Organisation, user: User, purpose: str, at: datetime
) -> Evidence | None:
    """The uploaded file as evidence; None where nothing was chosen. Raises what ``evidence.keep`` refuses."""
    if file is None:
        return None
    return keep(
        organisation=organisation,
        user=user,
        file_name=file.name or "",
        content=file.read(),
        content_type=file.content_type or "",
        purpose=purpose,
        at=at,
    )


def attachment(evidence: Evidence) -> HttpResponse:
    """The file as a download that no browser shows in place; the caller has checked who asks."""
    response = HttpResponse(bytes(evidence.content), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = _disposition(evidence.file_name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _disposition(name: str) -> str:
    from django.utils.http import content_disposition_header

    return content_disposition_header(as_attachment=True, filename=name) or "attachment"


@require_safe
@login_required
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A file for the organisation that gave it, the handler of its case, the platform or an auditor; 404 to everyone else."""
    evidence = Evidence.objects.filter(pk=pk).first()
    if evidence is None or not may_read(user=request.user, evidence=evidence):
        raise Http404
    return attachment(evidence)
