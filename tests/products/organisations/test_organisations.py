"""Who may act for whom: sign-up, verification, members, invitations, and the two sides that never meet in one person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from products.models import AuditEntry, Invitation, Membership, Notice, Organisation
from products.organisations import members, selectors, services
from products.organisations.naming import name_key
from products.organisations.uscc import UsccInvalid
from tests.factories.cast import make_uscc


@pytest.fixture
def register(cast, clock):
    def registered(serial=900, kind="enterprise", user=None, **fields):
        return services.organisation_register(
            uscc=make_uscc(serial), name="慈溪商贸", kind=kind, user=user or cast.stranger, at=clock.now, **fields
        )

    return registered


def test_a_new_organisation_is_unverified_and_its_founder_owns_it(register, cast):
    organisation = register()
    assert (organisation.state, organisation.region, organisation.name_key) == ("unverified", "330200", "ci xi shang mao")
    assert organisation.slug == "ci-xi-shang-mao"
    assert selectors.has_role(cast.stranger, organisation, "owner")
    assert set(Notice.objects.values_list("user__email", flat=True)) == {"owner@platform.example", "reviewer@platform.example"}
    assert AuditEntry.objects.get(action="organisation.registered").actor == cast.stranger


def test_slugs_of_the_same_name_differ(register):
    assert [register(serial).slug for serial in (900, 901)] == ["ci-xi-shang-mao", "ci-xi-shang-mao-2"]


def test_a_code_is_taken_once_and_must_check(register, cast, clock):
    register()
    with pytest.raises(services.UsccTaken):
        register()
    with pytest.raises(UsccInvalid):
        services.organisation_register(uscc="91330200MA2T00103Y", name="x", kind="enterprise", user=cast.stranger, at=clock.now)
    with pytest.raises(services.KindNotAllowed):
        register(902, kind="platform")


def test_only_the_platform_verifies_and_never_its_own(register, cast, clock):
    organisation = register()
    for person in (cast.stranger, cast.buyer.owner, cast.regulator.owner, cast.platform.cashier):
        with pytest.raises(services.NotPlatform):
            services.organisation_verify(organisation=organisation, user=person, at=clock.now)
    verified = services.organisation_verify(organisation=organisation, user=cast.platform.reviewer, at=clock.now)
    assert (verified.state, verified.verified_by, verified.verified_at) == ("verified", cast.platform.reviewer, clock.now)
    with pytest.raises(services.OrganisationStateWrong):
        services.organisation_verify(organisation=organisation, user=cast.platform.reviewer, at=clock.now)
    with pytest.raises(services.OwnOrganisation):
        services.organisation_suspend(
            organisation=cast.platform.organisation, user=cast.platform.reviewer, reason="x", at=clock.now
        )


def test_a_suspended_organisation_acts_no_more(cast, clock):
    services.organisation_suspend(organisation=cast.operator.organisation, user=cast.platform.owner, reason="整改", at=clock.now)
    with pytest.raises(selectors.OrganisationSuspended):
        selectors.require_role(cast.operator.owner, Organisation.objects.get(slug="operator"), "publisher")


def test_an_unverified_regulator_decides_nothing(register, cast):
    regulator = register(kind="price_regulator")
    with pytest.raises(selectors.OrganisationNotVerified):
        selectors.require_role(cast.stranger, regulator, "reviewer")


def test_a_missing_role_is_named(cast):
    with pytest.raises(selectors.RoleMissing) as refusal:
        selectors.require_role(cast.buyer.developer, cast.buyer.organisation, "buyer", "approver")
    assert refusal.value.facts["roles"] == ["buyer", "approver"]
    with pytest.raises(selectors.RoleMissing):
        selectors.require_role(cast.stranger, cast.buyer.organisation)


def test_nobody_is_regulator_and_operator_at_once(cast, clock):
    """Scenario 77, in both directions, and over every road that leads to a membership."""
    operator, regulator = cast.operator.organisation, cast.regulator.organisation
    with pytest.raises(members.RegulatorIsOperator):
        services.member_add(
            organisation=operator, user=cast.regulator.owner, roles=["publisher"], actor=cast.operator.owner, at=clock.now
        )
    with pytest.raises(members.RegulatorIsOperator):
        services.member_add(
            organisation=cast.data_bureau.organisation, user=cast.operator.owner, roles=["reviewer"], actor=None, at=clock.now
        )
    _, token = services.member_invite(
        organisation=regulator, email=cast.operator.owner.email, roles=["reviewer"], actor=cast.regulator.owner, at=clock.now
    )
    with pytest.raises(members.RegulatorIsOperator):
        services.invitation_accept(token=token, user=cast.operator.owner, at=clock.now)
    with pytest.raises(members.RegulatorIsOperator):
        services.organisation_register(
            uscc=make_uscc(950), name="新运营", kind="operator", user=cast.regulator.owner, at=clock.now
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=cast.regulator.owner, organisation=operator, roles=["owner"], created_at=clock.now)


def test_an_ended_membership_opens_the_other_side_and_cannot_come_back(cast, clock):
    own = Membership.objects.get(user=cast.regulator.decider)
    services.member_change(membership=own, roles=[], is_active=False, actor=cast.regulator.owner, at=clock.now)
    services.member_add(
        organisation=cast.operator.organisation, user=cast.regulator.decider, roles=["developer"], actor=None, at=clock.now
    )
    with pytest.raises(members.RegulatorIsOperator):
        services.member_change(membership=own, roles=["decider"], actor=cast.regulator.owner, at=clock.now)


def test_only_an_owner_changes_who_acts(cast, clock):
    with pytest.raises(members.NotOwner):
        services.member_add(
            organisation=cast.buyer.organisation, user=cast.stranger, roles=["buyer"], actor=cast.buyer.approver, at=clock.now
        )
    with pytest.raises(members.NotOwner):
        services.member_add(
            organisation=cast.buyer.organisation, user=cast.stranger, roles=["buyer"], actor=cast.buyer_b.owner, at=clock.now
        )
    with pytest.raises(members.RolesWrong):
        services.member_add(
            organisation=cast.buyer.organisation, user=cast.stranger, roles=["king"], actor=cast.buyer.owner, at=clock.now
        )


def test_the_last_owner_stays(cast, clock):
    own = Membership.objects.get(user=cast.buyer.owner)
    for change in ({"roles": ["buyer"]}, {"roles": [], "is_active": False}):
        with pytest.raises(members.LastOwner):
            services.member_change(membership=own, actor=cast.buyer.owner, at=clock.now, **change)


def test_an_invitation_works_once_for_the_invited_person_in_time(cast, clock):
    invitation, token = services.member_invite(
        organisation=cast.buyer.organisation,
        email=" Stranger@nowhere.example ",
        roles=["developer"],
        actor=cast.buyer.owner,
        at=clock.now,
    )
    assert token not in str(Invitation.objects.values().get())
    for person, when, given in (
        (cast.buyer_b.owner, clock.now, token),
        (cast.stranger, invitation.expires_at, token),
        (cast.stranger, clock.now, "other"),
    ):
        with pytest.raises(members.InvitationNotUsable):
            services.invitation_accept(token=given, user=person, at=when)
    joined = services.invitation_accept(token=token, user=cast.stranger, at=clock.now + timedelta(days=13))
    assert joined.roles == ["developer"]
    with pytest.raises(members.InvitationNotUsable):
        services.invitation_accept(token=token, user=cast.stranger, at=clock.now)
    with pytest.raises(members.AlreadyMember):
        services.member_invite(
            organisation=cast.buyer.organisation, email=cast.stranger.email, roles=["buyer"], actor=cast.buyer.owner, at=clock.now
        )


def test_names_sort_by_pinyin():
    assert sorted(["舟山", "北京", "宁波"], key=name_key) == ["北京", "宁波", "舟山"]
