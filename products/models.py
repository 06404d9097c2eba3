"""Every model of the ground floor, so that Django finds them under one label."""

from products.catalogue.models import DataProduct, JoinRule, Release, RemoteHost, ReviewRecord, SubjectWindow
from products.organisations.models import Invitation, Membership, Organisation, User
from products.record.models import (
    AuditEntry,
    AuditHead,
    CalendarDay,
    CalendarYear,
    Case,
    CaseEvent,
    Evidence,
    IssuedDocument,
    Notice,
    Proposal,
    RuleSet,
)
from products.registry.models import Authorisation, DataResource, Purpose, Registration, Scenario, ScopeItem

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Authorisation",
    "CalendarDay",
    "CalendarYear",
    "Case",
    "CaseEvent",
    "DataProduct",
    "DataResource",
    "Evidence",
    "Invitation",
    "IssuedDocument",
    "JoinRule",
    "Membership",
    "Notice",
    "Organisation",
    "Proposal",
    "Purpose",
    "Registration",
    "Release",
    "RemoteHost",
    "ReviewRecord",
    "RuleSet",
    "Scenario",
    "ScopeItem",
    "SubjectWindow",
    "User",
]
