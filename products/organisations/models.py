"""People, organisations, memberships, invitations."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from products.choices import TextChoices


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person, who signs in with an e-mail address."""

    username = None
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email


class OrganisationKind(TextChoices):
    ENTERPRISE = "enterprise", _("Enterprise")
    NONPROFIT = "nonprofit", _("Nonprofit")
    PUBLIC_BODY = "public_body", _("Public body")
    INSTITUTION = "institution", _("Public institution")
    OPERATOR = "operator", _("Operator")
    AUTHORISING_BODY = "authorising_body", _("Authorising body")
    PRICE_REGULATOR = "price_regulator", _("Price regulator")
    DATA_BUREAU = "data_bureau", _("Data bureau")
    DATA_PROVIDER = "data_provider", _("Data provider")
    REGISTRY = "registry", _("Registration institution")
    AUDITOR = "auditor", _("Auditor")
    PLATFORM = "platform", _("Platform")


class OrganisationState(TextChoices):
    UNVERIFIED = "unverified", _("Unverified")
    VERIFIED = "verified", _("Verified")
    SUSPENDED = "suspended", _("Suspended")


class OrganisationSize(TextChoices):
    MICRO = "micro", _("Micro enterprise")
    SMALL = "small", _("Small enterprise")
    MEDIUM = "medium", _("Medium enterprise")
    LARGE = "large", _("Large enterprise")


class Organisation(models.Model):
    """A party of the market, identified by its unified social credit code (USCC)."""

    uscc = models.CharField(_("unified social credit code"), max_length=18, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=OrganisationKind)
    region = models.CharField(_("administrative division code"), max_length=6, blank=True)
    state = models.CharField(max_length=12, choices=OrganisationState, default=OrganisationState.UNVERIFIED)
    name_key = models.CharField(max_length=300, blank=True, help_text="Pinyin, for sorting")
    website = models.URLField(blank=True)
    complaint_contact = models.CharField(_("complaint channel"), max_length=200, blank=True)
    controlled_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="affiliates")
    size = models.CharField(
        _("size"), max_length=6, choices=OrganisationSize, blank=True, help_text="Of an enterprise, as the statistics classify it"
    )
    document_prefix = models.CharField(
        _("document prefix"), max_length=20, blank=True, help_text="What its numbered documents begin with, for example 江发改价"
    )
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey("products.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(uscc__regex=r"^[0-9A-HJ-NP-RTUWXY]{18}$"), name="organisation_uscc_shape"),
            models.CheckConstraint(
                condition=~Q(state="verified") | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="organisation_verified_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_verified(self) -> bool:
        return self.state == OrganisationState.VERIFIED


class Role(TextChoices):
    OWNER = "owner", _("Owner")
    BUYER = "buyer", _("Buyer")
    APPROVER = "approver", _("Approver")
    DEVELOPER = "developer", _("Developer")
    FINANCE = "finance", _("Finance")
    PUBLISHER = "publisher", _("Publisher")
    PRICING = "pricing", _("Pricing")
    REVIEWER = "reviewer", _("Reviewer")
    DECIDER = "decider", _("Decider")
    AUDITOR = "auditor", _("Auditor")


class Membership(models.Model):
    """A person's roles in one organisation."""

    user = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=12, choices=Role), default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="membership_once_per_organisation")]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"


class Invitation(models.Model):
    """A person is asked by e-mail to join an organisation; only the token's digest is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    roles = ArrayField(models.CharField(max_length=12, choices=Role), default=list)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("products.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} → {self.organisation}"
