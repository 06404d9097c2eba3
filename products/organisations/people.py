"""Accounts of people."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.models import User
from products.record import audit
from products.record.refusals import Refused


class EmailTaken(Refused):
    code = "email_taken"


@transaction.atomic
def person_register(*, email: str, password: str, name: str, at: datetime, language: str = "zh-hans") -> User:
    """A new account for an e-mail address; the caller has checked the password's strength. Raises EmailTaken."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email.strip(), password, name=name.strip(), language=language, date_joined=at)
    except IntegrityError as error:
        raise EmailTaken(_("This e-mail address has an account already: sign in."), field="email") from error
    audit.record(action="person.registered", obj=user, actor=user, at=at)
    return user
