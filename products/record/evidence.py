"""Evidence files: hashed, their type read from their content, kept in the database, given out only as a download."""

from __future__ import annotations

import hashlib
import io
import unicodedata
import zipfile
from datetime import datetime
from pathlib import PurePosixPath

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Membership, Organisation, User
from products.record import audit
from products.record.models import CaseEvent, Evidence
from products.record.refusals import Refused

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {
    "application/pdf": {".pdf"},
    "image/png": {".png"},
    "image/jpeg": {".jpg", ".jpeg"},
    DOCX: {".docx"},
    XLSX: {".xlsx"},
    "text/plain": {".txt", ".csv"},
}


class EvidenceEmpty(Refused):
    code = "evidence_empty"


class EvidenceTooLarge(Refused):
    code = "evidence_too_large"


class EvidenceTypeNotAllowed(Refused):
    code = "evidence_type_not_allowed"


@transaction.atomic
def keep(
    *,
    organisation: Organisation,
    user: User,
    file_name: str,
    content: bytes,
    content_type: str = "",
    purpose: str,
    at: datetime,
) -> Evidence:
    """Check and keep a file. ``content_type`` is what the browser claims and is not believed: the content decides.

    Raises EvidenceEmpty, EvidenceTooLarge, EvidenceTypeNotAllowed (unknown content, or a name that says something else).
    """
    if not content:
        raise EvidenceEmpty(_("The file is empty."), field="file")
    if len(content) > settings.MAX_EVIDENCE_BYTES:
        limit = settings.MAX_EVIDENCE_BYTES // (1024 * 1024)
        raise EvidenceTooLarge(_("The file is larger than %(limit)s MB.") % {"limit": limit}, field="file")
    name = clean_name(file_name)
    found = sniff(content)
    if found is None or PurePosixPath(name).suffix.lower() not in ENDINGS[found]:
        message = _("Only PDF, PNG, JPEG, Word (.docx), Excel (.xlsx), CSV and text files, each with its own ending.")
        raise EvidenceTypeNotAllowed(message, field="file")
    evidence = Evidence.objects.create(
        organisation=organisation,
        uploaded_by=user,
        uploaded_at=at,
        purpose=purpose,
        file_name=name,
        content_type=found,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
    facts = {"sha256": evidence.sha256, "size": evidence.size, "purpose": purpose}
    audit.record(action="evidence.kept", obj=evidence, actor=user, organisation=organisation, at=at, facts=facts)
    return evidence


def clean_name(file_name: str) -> str:
    """The last part of the name, without control characters, at most 200 long, its ending kept."""
    last = PurePosixPath(file_name.replace("\\", "/")).name
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip() or "file"
    suffix = PurePosixPath(plain).suffix[:10]
    return plain if len(plain) <= 200 else plain[: 200 - len(suffix)] + suffix


def sniff(content: bytes) -> str | None:
    """The media type that the content itself shows, None where it is none of ours."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    return "text/plain" if _is_text(content) else None


def _office_type(content: bytes) -> str | None:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except Exception:  # a damaged directory raises more than BadZipFile; whatever it is, this is no office file
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    if "word/document.xml" in names:
        return DOCX
    return XLSX if "xl/workbook.xml" in names else None


def _is_text(content: bytes) -> bool:
    """UTF-8, or GB18030 as spreadsheets in China write it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            return False
    if text.lstrip()[:1] == "<":  # a page in disguise; evidence is never markup
        return False
    return not any(unicodedata.category(c) == "Cc" and c not in "\r\n\t\f" for c in text)


def may_read(*, user: User, evidence: Evidence) -> bool:
    """Members of the organisation that gave it, of those that handle a case it belongs to, of the platform and the auditors."""
    own = Membership.objects.filter(user=user, is_active=True).exclude(organisation__state="suspended")
    handlers = CaseEvent.objects.filter(evidence=evidence).values("case__handler")
    watching = Q(organisation__kind__in=["platform", "auditor"], organisation__state="verified")
    return own.filter(Q(organisation=evidence.organisation_id) | Q(organisation__in=handlers) | watching).exists()
