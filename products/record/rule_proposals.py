"""A new version of a jurisdiction's rules: one person of its price regulator or data bureau proposes it, another approves.

It begins in the future and ends the version before it. What was begun earlier keeps the old version (rule_sets.recheck).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, OrganisationKind, Role, User
from products.organisations.selectors import require_role
from products.record import audit, notices, proposals
from products.record.clock import business_date
from products.record.jurisdictions import NATIONAL, jurisdiction_of
from products.record.models import Proposal, RuleSet
from products.record.parameters import check_all, missing_from
from products.record.refusals import Refused
from products.record.rule_sets import RuleSetEndFixed, diff, rule_set_add, rule_set_end, versions

notices.define(
    "rule_set.proposed",
    subject=_("A new version of your rules waits for a colleague"),
    text=_("%(person)s proposes “%(rules)s” from %(from)s. Compare it with the version before and decide."),
)
notices.define(
    "rule_set.approved",
    subject=_("Your proposal for new rules is approved"),
    text=_("%(person)s approved “%(rules)s”: in force from %(from)s."),
)
notices.define(
    "rule_set.rejected",
    subject=_("Your proposal for new rules is rejected"),
    text=_("%(person)s rejected “%(rules)s” from %(from)s. The reason stands on its page."),
)
PAGE = "/console/regulator/rules/proposals/%d/"
ACT, OBJECT_TYPE = "rule_set.add", "jurisdiction"
MAKERS = (OrganisationKind.PRICE_REGULATOR, OrganisationKind.DATA_BUREAU)
PROPOSERS = (Role.OWNER, Role.PRICING, Role.REVIEWER, Role.DECIDER)


class NotYourRules(Refused):
    code = "not_your_rules"


class RulesBeginTooEarly(Refused):
    code = "rules_begin_too_early"


class RulesUnchanged(Refused):
    code = "rules_unchanged"


class RulesIncomplete(Refused):
    code = "rules_incomplete"


class RulesChangedMeanwhile(Refused):
    code = "rules_changed_meanwhile"


@transaction.atomic
def rule_set_propose(
    *,
    organisation: Organisation,
    name: str,
    source: str,
    from_date: date,
    parameters: dict[str, Any],
    user: User,
    reason: str,
    at: datetime,
    name_en: str = "",
) -> Proposal:
    """Ask a colleague for a new version of the organisation's own jurisdiction, whole: what it leaves out is the next level's.

    Raises NotYourRules, RoleMissing, ReasonMissing, RulesBeginTooEarly, RulesUnchanged, RulesIncomplete, RuleSetEndFixed,
    ParameterUnknown, ParameterNotValid, ProposalAlreadyOpen.
    """
    _require_maker(organisation, user)
    if not name.strip() or not source.strip():
        field = "name" if not name.strip() else "source"
        raise RulesIncomplete(_("Name the rules and the document that they come from."), field=field)
    if not reason.strip():
        raise proposals.ReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    jurisdiction = jurisdiction_of(organisation.region)
    checked = check_all(parameters)
    before = _check_version(jurisdiction, from_date, checked, at)
    content = {
        "jurisdiction": jurisdiction,
        "name": name.strip(),
        "name_en": name_en.strip(),
        "source": source.strip(),
        "from_date": from_date.isoformat(),
        "parameters": checked,
        "before": before.pk if before else None,
    }
    obj = (OBJECT_TYPE, jurisdiction)
    named: dict[str, Any] = {"organisation": organisation, "act": ACT, "obj": obj, "content": content}
    proposal = proposals.propose(**named, user=user, reason=reason, at=at)
    colleagues = organisation.memberships.filter(is_active=True, roles__overlap=list(PROPOSERS)).exclude(user=user)
    _tell("rule_set.proposed", [each.user for each in colleagues.select_related("user")], proposal, user, at)
    return proposal


@transaction.atomic
def rule_set_approve(*, proposal: Proposal, user: User, at: datetime, reason: str = "") -> RuleSet:
    """Another person of the body agrees: the version before ends on the day the new one begins.

    Raises what ``rule_set_propose`` does where the world has moved on since, MakerIsChecker, ProposalDecided,
    RulesChangedMeanwhile (another version came in between: propose again on top of it).
    """
    _require_maker(proposal.organisation, user)
    content = proposal.content
    proposals.approve(proposal=proposal, user=user, reason=reason, at=at)  # from here on nobody else decides about it
    begins = date.fromisoformat(content["from_date"])
    before = _check_version(content["jurisdiction"], begins, content["parameters"], at)
    if (before.pk if before else None) != content["before"]:
        raise RulesChangedMeanwhile(_("These rules have a newer version by now: propose again on top of it."))
    if before is not None and before.period.upper is None:
        rule_set_end(rule_set=before, to_date=begins, user=user, at=at)
    named = {key: content[key] for key in ("jurisdiction", "name", "name_en", "source", "parameters")}
    rule_set = rule_set_add(**named, from_date=begins, user=user, at=at)
    facts = {"proposal": proposal.pk, "proposed_by": proposal.proposed_by_id, "approved_by": user.pk}
    _tell("rule_set.approved", [proposal.proposed_by], proposal, user, at)
    audit.record(action="rule_set.approved", obj=rule_set, actor=user, organisation=proposal.organisation, at=at, facts=facts)
    return rule_set


@transaction.atomic
def rule_set_reject(*, proposal: Proposal, user: User, reason: str, at: datetime) -> Proposal:
    """Another person of the body disagrees, and says why. Raises NotYourRules, MakerIsChecker, ProposalDecided, ReasonMissing."""
    _require_maker(proposal.organisation, user)
    rejected = proposals.reject(proposal=proposal, user=user, reason=reason, at=at)
    _tell("rule_set.rejected", [rejected.proposed_by], rejected, user, at)
    return rejected


def rule_set_withdraw(*, proposal: Proposal, user: User, at: datetime) -> Proposal:
    """Take one's own proposal back. Raises NotTheMaker, ProposalDecided."""
    return proposals.withdraw(proposal=proposal, user=user, at=at)


def rule_proposals_of(organisation: Organisation) -> QuerySet[Proposal]:
    """The body's proposals for its rules, the newest first."""
    found = Proposal.objects.filter(act=ACT, organisation=organisation).select_related("proposed_by", "decided_by")
    return found.order_by("-proposed_at", "-id")


def may_make_rules(organisation: Organisation) -> bool:
    """Whether the kind of body makes rules at all."""
    return organisation.kind in MAKERS


def _tell(kind: str, users: list[User], proposal: Proposal, user: User, at: datetime) -> None:
    if users:
        facts = {"person": user.name, "rules": proposal.content["name"], "from": proposal.content["from_date"]}
        notices.notify(kind=kind, users=users, facts=facts, url=PAGE % proposal.pk, at=at)


def _require_maker(organisation: Organisation, user: User) -> None:
    if not may_make_rules(organisation):
        raise NotYourRules(_("The price regulator or the data bureau of a place makes its rules."))
    require_role(user, organisation, *PROPOSERS)


def _check_version(jurisdiction: str, from_date: date, parameters: dict[str, Any], at: datetime) -> RuleSet | None:
    """The version that the new one would follow; refused where it cannot follow it."""
    if from_date <= business_date(at):
        raise RulesBeginTooEarly(_("New rules begin in the future: tomorrow at the earliest."), field="from_date")
    before = versions(jurisdiction).last()
    if before is not None and from_date <= before.period.lower:
        message = _("A later version begins on %(day)s: new rules begin after it.") % {"day": before.period.lower}
        raise RulesBeginTooEarly(message, field="from_date")
    if before is not None and before.period.upper is not None and from_date < before.period.upper:
        message = _("The version before ends on %(day)s and its end is fixed: begin then or later.") % {
            "day": before.period.upper
        }
        raise RuleSetEndFixed(message, field="from_date")
    if not parameters or (before is not None and not diff(before, parameters)):
        raise RulesUnchanged(_("This says the same as the version before: change a value."))
    missing = missing_from(parameters) if jurisdiction == NATIONAL else []
    if missing:
        message = _("The nation's rules set every parameter: “%(label)s” is missing.") % {"label": missing[0].label}
        raise RulesIncomplete(message, field=missing[0].name)
    return before
