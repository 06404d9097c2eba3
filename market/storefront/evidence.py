"""Evidence files leave the house only as a download, and only to those whom they concern."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from products.record.evidence import may_read
from products.record.models import Evidence


def attachment(evidence: Evidence) -> HttpResponse:
    """The file as a download that no browser shows in place; the caller has checked who asks."""
    response = HttpResponse(bytes(evidence.content), content_type=evidence.content_type)
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
