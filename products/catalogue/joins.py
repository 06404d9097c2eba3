"""Join rules: what nobody may come to know together without a review, since together it points to a person or a firm (R72).

A rule is made by two people of a data bureau: one proposes it, another agrees (``products.record.proposals``). Content and start
never change; an end is set once, by two people as well.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from products.catalogue.concepts import CONCEPTS, STATISTICS
from products.catalogue.models import JoinRule
from products.organisations.models import Organisation, OrganisationKind, Role, User
from products.organisations.selectors import require_role
from products.record import audit, notices, proposals
from products.record.clock import business_date
from products.record.models import Proposal
from products.record.refusals import Refused

MAKERS = (OrganisationKind.DATA_BUREAU, OrganisationKind.PLATFORM)
MAKER_ROLES = (Role.REVIEWER, Role.OWNER, Role.DECIDER)
ADD, END, OBJECT_TYPE = "join_rule.add", "join_rule.end", "join_rule"
PAGE = "/console/platform/joins/rules/proposals/%d/"
notices.define(
    "join_rule.proposed",
    subject=_("A join rule waits for a colleague"),
    text=_("%(person)s proposes: “%(rule)s”. Read it and agree or reject it."),
)
notices.define(
    "join_rule.decided",
    subject=_("Your join rule is decided"),
    text=_("%(person)s decided about “%(rule)s”. The reason stands on its page."),
)


class NotYourJoinRules(Refused):
    code = "not_your_join_rules"


class JoinRuleIncomplete(Refused):
    code = "join_rule_incomplete"


class JoinRuleTooEarly(Refused):
    code = "join_rule_too_early"


def rules_in_force(*, on: date) -> QuerySet[JoinRule]:
    """The rules that hold on a day, in a stable order."""
    return JoinRule.objects.filter(Q(to_date=None) | Q(to_date__gte=on), from_date__lte=on).order_by("from_date", "id")


def join_proposals() -> QuerySet[Proposal]:
    """Proposals to add or end rules, the newest first."""
    found = Proposal.objects.filter(act__in=(ADD, END)).select_related("organisation", "proposed_by", "decided_by")
    return found.order_by("-proposed_at", "-id")


@transaction.atomic
def join_rule_propose(
    *,
    organisation: Organisation,
    name: str,
    concepts: Collection[str],
    explanation: str,
    from_date: date,
    user: User,
    at: datetime,
    name_en: str = "",
    explanation_en: str = "",
) -> Proposal:
    """Ask a colleague for a rule.

    Raises NotYourJoinRules, RoleMissing, JoinRuleIncomplete, JoinRuleTooEarly, ProposalAlreadyOpen.
    """
    _require_maker(organisation, user)
    _check(name, concepts, explanation)
    if from_date <= business_date(at):
        raise JoinRuleTooEarly(_("A rule begins in the future: tomorrow at the earliest."), field="from_date")
    content = {
        "name": name.strip(),
        "name_en": name_en.strip(),
        "concepts": sorted(set(concepts)),
        "explanation": explanation.strip(),
        "explanation_en": explanation_en.strip(),
        "from_date": from_date.isoformat(),
    }
    return _propose(organisation, ADD, (OBJECT_TYPE, name.strip()[:64]), content, user, explanation, at)


@transaction.atomic
def join_rule_end_propose(
    *, rule: JoinRule, organisation: Organisation, to_date: date, reason: str, user: User, at: datetime
) -> Proposal:
    """Ask a colleague to end a rule. Raises as ``join_rule_propose``; ReasonMissing."""
    _require_maker(organisation, user)
    if not reason.strip():
        raise proposals.ReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    _check_end(rule, to_date, at)
    content = {"rule": rule.pk, "name": rule.name, "name_en": rule.name_en, "to_date": to_date.isoformat()}
    return _propose(organisation, END, rule, content, user, reason, at)


@transaction.atomic
def join_rule_agree(*, proposal: Proposal, user: User, at: datetime, reason: str = "") -> JoinRule:
    """Another person of the body agrees: the rule is made, or ended. Raises MakerIsChecker, ProposalDecided, JoinRuleTooEarly."""
    _require_maker(proposal.organisation, user)
    proposals.approve(proposal=proposal, user=user, reason=reason, at=at)
    content = proposal.content
    if proposal.act == END:
        rule = JoinRule.objects.select_for_update().get(pk=content["rule"])
        _check_end(rule, date.fromisoformat(content["to_date"]), at)
        rule.to_date = date.fromisoformat(content["to_date"])
        rule.save(update_fields=["to_date"])
    else:
        begins = date.fromisoformat(content["from_date"])
        if begins <= business_date(at):
            raise JoinRuleTooEarly(_("A rule begins in the future: tomorrow at the earliest."), field="from_date")
        texts = {key: content[key] for key in ("name", "name_en", "concepts", "explanation", "explanation_en")}
        rule = JoinRule.objects.create(**texts, from_date=begins, proposed_by=proposal.proposed_by, decided_by=user)
    _tell_maker(proposal, user, at)
    facts = {"proposal": proposal.pk, "proposed_by": proposal.proposed_by_id, **content}
    audit.record(action=proposal.act, obj=rule, actor=user, organisation=proposal.organisation, at=at, reason=reason, facts=facts)
    return rule


@transaction.atomic
def join_rule_reject(*, proposal: Proposal, user: User, reason: str, at: datetime) -> Proposal:
    """Another person of the body disagrees, and says why. Raises MakerIsChecker, ProposalDecided, ReasonMissing."""
    _require_maker(proposal.organisation, user)
    rejected = proposals.reject(proposal=proposal, user=user, reason=reason, at=at)
    _tell_maker(rejected, user, at)
    return rejected


def may_make_join_rules(organisation: Organisation) -> bool:
    """Whether the kind of body makes join rules: a data bureau, or the platform for all."""
    return organisation.kind in MAKERS


def _require_maker(organisation: Organisation, user: User) -> None:
    if not may_make_join_rules(organisation):
        raise NotYourJoinRules(_("A data bureau or the platform makes join rules."))
    require_role(user, organisation, *MAKER_ROLES)


def _check(name: str, concepts: Collection[str], explanation: str) -> None:
    if not name.strip() or not explanation.strip():
        field = "name" if not name.strip() else "explanation"
        raise JoinRuleIncomplete(_("A rule needs a name, and a sentence on why these point to somebody."), field=field)
    unknown = sorted(set(concepts) - set(CONCEPTS))
    if unknown or STATISTICS in concepts:
        raise JoinRuleIncomplete(
            _("This is not something that a rule can join: %s") % ", ".join(unknown or [STATISTICS]), field="concepts"
        )
    if len(set(concepts)) < 2:
        raise JoinRuleIncomplete(_("A rule joins at least two things that answers tell."), field="concepts")


def _check_end(rule: JoinRule, to_date: date, at: datetime) -> None:
    if rule.to_date is not None:
        raise JoinRuleTooEarly(_("The end of this rule is fixed already."), field="to_date")
    if to_date < business_date(at) or to_date < rule.from_date:
        raise JoinRuleTooEarly(_("A rule ends today at the earliest."), field="to_date")


def _propose(
    organisation: Organisation, act: str, obj: Any, content: dict[str, Any], user: User, reason: str, at: datetime
) -> Proposal:
    named: dict[str, Any] = {"organisation": organisation, "act": act, "obj": obj, "content": content}
    proposal = proposals.propose(**named, user=user, reason=reason, at=at)
    colleagues = organisation.memberships.filter(is_active=True, roles__overlap=list(MAKER_ROLES)).exclude(user=user)
    readers = [each.user for each in colleagues.select_related("user")]
    if readers:
        facts = {"person": user.name, "rule": content["name"]}
        notices.notify(kind="join_rule.proposed", users=readers, facts=facts, url=PAGE % proposal.pk, at=at)
    return proposal


def _tell_maker(proposal: Proposal, user: User, at: datetime) -> None:
    facts = {"person": user.name, "rule": proposal.content["name"]}
    notices.notify(kind="join_rule.decided", users=[proposal.proposed_by], facts=facts, url=PAGE % proposal.pk, at=at)
