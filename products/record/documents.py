"""Numbered documents of a body: numbered without gaps, printed once, kept unchanged, found again by their hash.

A document is issued inside the transaction of the decision that it announces: no decision without its document, no number
without a decision. The archive keeps the PDF itself and the content that it was made from; both hashes stand in the audit trail.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import Max, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Membership, Organisation, OrganisationKind, User
from products.record import audit, pdf
from products.record.clock import business_date
from products.record.models import Case, IssuedDocument
from products.record.objects import reference
from products.record.refusals import Refused

WATCHING = (OrganisationKind.PLATFORM, OrganisationKind.AUDITOR)
DEFAULT_PREFIX_LENGTH = 20


class DocumentEmpty(Refused):
    code = "document_empty"


class DocumentNumberTaken(Refused):
    code = "document_number_taken"


@transaction.atomic
def issue(
    *,
    issuer: Organisation,
    kind: str,
    title: str,
    obj: Model | tuple[str, str],
    sections: Sequence[pdf.Section],
    user: User,
    at: datetime,
    is_public: bool = False,
    readers: Iterable[Organisation] = (),
) -> IssuedDocument:
    """Number, print and keep a document of ``issuer`` about ``obj``; ``kind`` is a stable word: ``permitted_revenue``.

    The caller has checked that ``user`` may decide for the issuer. ``readers`` are the parties that may open a document that is
    not public; the issuer, the parties of a case about ``obj``, the platform and the auditors always may. Texts are Chinese
    (lazy translations are resolved in Chinese). Raises DocumentEmpty, DocumentNumberTaken.
    """
    if not sections or not str(title).strip():
        raise DocumentEmpty(_("A document needs a title and something to say."), field="title")
    year = business_date(at).year
    draft = pdf.content_of(title=title, sections=sections, issuer=issuer.name, on=business_date(at))
    pdf.render_content(draft)  # what cannot be printed fails here, before anybody waits for a number
    audit.hold_trail()  # whoever numbers waits here until the one before has committed or given its number back
    issued = IssuedDocument.objects.filter(issuer=issuer, year=year)
    sequence = (issued.aggregate(last=Max("sequence"))["last"] or 0) + 1
    content = draft | {"number": number_of(issuer, year=year, sequence=sequence)}
    printed = pdf.render_content(content)
    object_type, object_id = reference(obj)
    try:
        with transaction.atomic():
            document = IssuedDocument.objects.create(
                number=content["number"],
                issuer=issuer,
                year=year,
                sequence=sequence,
                kind=kind,
                title=content["title"],
                object_type=object_type,
                object_id=object_id,
                content=content,
                pdf=printed,
                sha256=hashlib.sha256(printed).hexdigest(),
                is_public=is_public,
                issued_by=user,
                issued_at=at,
            )
    except IntegrityError as error:
        message = _("Another body has issued %(number)s: give your organisation a document prefix of its own.")
        raise DocumentNumberTaken(message % {"number": content["number"]}, field="document_prefix") from error
    document.readers.set(readers)
    facts = {
        "number": document.number,
        "about": [object_type, object_id],
        "sha256": document.sha256,
        "content_sha256": content_digest(content),
    }
    audit.record(action="document.issued", obj=document, actor=user, organisation=issuer, at=at, facts=facts)
    return document


def number_of(issuer: Organisation, *, year: int, sequence: int) -> str:
    """江发改价〔2026〕7号; a body without a prefix of its own numbers under its name."""
    prefix = issuer.document_prefix or issuer.name[:DEFAULT_PREFIX_LENGTH]
    return f"{prefix}〔{year}〕{sequence}号"


def content_digest(content: dict[str, Any]) -> str:
    """SHA-256 of the content as JSON with sorted keys."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def documents_about(obj: Model | tuple[str, str]) -> QuerySet[IssuedDocument]:
    """What was issued about an object, newest first, without the PDFs themselves."""
    object_type, object_id = reference(obj)
    found = IssuedDocument.objects.filter(object_type=object_type, object_id=object_id)
    return found.defer("pdf", "content").select_related("issuer").order_by("-issued_at", "-id")


def documents_public() -> QuerySet[IssuedDocument]:
    """What everybody may read, newest first, without the PDFs themselves."""
    found = IssuedDocument.objects.filter(is_public=True).defer("pdf", "content").select_related("issuer")
    return found.order_by("-issued_at", "-id")


def may_read(*, user: User | AnonymousUser, document: IssuedDocument) -> bool:
    """Everyone where it is public; else members of the issuer, its readers, the parties of its case, the platform, auditors."""
    if document.is_public:
        return True
    if not isinstance(user, User):
        return False
    own = Membership.objects.filter(user=user, is_active=True).exclude(organisation__state="suspended")
    cases = Case.objects.filter(object_type=document.object_type, object_id=document.object_id)
    parties = Q(organisation__in=cases.values("handler")) | Q(organisation__in=cases.values("applicant"))
    named = Q(organisation=document.issuer_id) | Q(organisation__in=document.readers.values("pk"))
    watching = Q(organisation__kind__in=WATCHING, organisation__state="verified")
    return own.filter(named | parties | watching).exists()


def is_intact(document: IssuedDocument) -> bool:
    """Whether the kept PDF is the one that was issued, by its hash."""
    return hashlib.sha256(bytes(document.pdf)).hexdigest() == document.sha256
