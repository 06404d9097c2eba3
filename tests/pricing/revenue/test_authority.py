"""Who sets a product's caps follows where it is registered, and moves with the registration (scenarios 41 and 42)."""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.models import Cap
from pricing.revenue.authority import CapLevelTooHigh, is_delegated, level_of, pricing_body, pricing_place
from pricing.revenue.basket_rows import BasketRowsRefused
from pricing.revenue.baskets import basket_approve, basket_draft, basket_file
from pricing.revenue.services import cap_approve, cap_draft, cap_publish, cap_report
from products.models import Membership, Organisation, RuleSet
from products.registry.models import Registration
from tests.factories.cast import make_uscc
from tests.pricing.market import caps, make_product, published, reported
from tests.pricing.revenue.sets import permit, row

TODAY, NOVEMBER = date(2026, 10, 20), date(2026, 11, 1)


@pytest.fixture
def product(cast, clock):
    return make_product(cast, clock.now)


def body_of(cast, clock, region, serial, person):
    """Another verified authorising body, with a person in it."""
    found = Organisation.objects.create(
        uscc=make_uscc(serial, prefix="11", region=region or "100000"),
        name=f"{region or '全国'}授权主体",
        slug=f"authority-{region or 'nation'}",
        kind="authorising_body",
        region=region,
        state="verified",
        created_at=clock.now,
        verified_at=clock.now,
        verified_by=cast.platform.owner,
    )
    Membership.objects.create(user=person, organisation=found, roles=["pricing"], created_at=clock.now)
    return found


def register(cast, product, level, *, code, region="330200", since=TODAY, state="valid"):
    return Registration.objects.create(
        code=code,
        product=product,
        registry=cast.registry.organisation,
        holder=cast.operator.organisation,
        level=level,
        region=region,
        issued_date=since,
        valid_to=date(2029, 1, 1),
        state=state,
    )


def draft(product, user, at, start=NOVEMBER):
    return cap_draft(product=product, document=caps(("calls", "0.5"), start=start), user=user, at=at)


def test_the_level_of_a_region():
    assert [level_of(region) for region in ("", "100000", "330000", "330200", "330203")] == [
        "national",
        "national",
        "province",
        "city",
        "district",
    ]


def test_scenario_41_a_nationally_registered_product_is_capped_by_the_central_catalogue(cast, clock, product):
    register(cast, product, "national", code="GJ-1")
    with pytest.raises(CapLevelTooHigh, match="GJ-1"):
        draft(product, cast.authority.owner, clock.now)
    nation = body_of(cast, clock, "", 801, cast.platform.reviewer)
    with pytest.raises(CapLevelTooHigh, match=nation.name):
        draft(product, cast.authority.owner, clock.now)
    assert draft(product, cast.platform.reviewer, clock.now).authorising_body == nation


def test_scenario_41_without_a_delegation_in_force_the_province_sets_the_citys_caps(cast, clock, product):
    register(cast, product, "city", code="SJ-1")
    assert pricing_place(product=product, on=TODAY).is_delegated
    RuleSet.objects.filter(jurisdiction="330200").update(period=DateRange(date(2025, 1, 20), TODAY))
    assert pricing_place(product=product, on=date(2026, 10, 19)).level == "city"
    assert pricing_place(product=product, on=TODAY).level == "province"
    with pytest.raises(CapLevelTooHigh, match="SJ-1"):
        draft(product, cast.authority.owner, clock.now)
    province = body_of(cast, clock, "330000", 802, cast.platform.reviewer)
    assert pricing_body(product=product, on=TODAY) == province
    assert draft(product, cast.platform.reviewer, clock.now).authorising_body == province


def test_a_delegation_may_stand_in_the_provinces_rules_for_all_its_cities(cast):
    RuleSet.objects.create(
        jurisdiction="440000",
        name="省规则",
        source="（虚构）",
        period=DateRange(NOVEMBER, None),
        parameters={"pricing_delegated_to_city": True},
    )
    assert [is_delegated(region="440100", on=day) for day in (TODAY, NOVEMBER)] == [False, True]
    assert not is_delegated(region="330100", on=NOVEMBER)


def test_scenario_42_authority_moves_with_the_registration_and_only_the_next_version_is_the_provinces(cast, clock, product):
    old = register(cast, product, "city", code="SJ-1")
    published(cast, product, caps(("calls", "0.5"), start=TODAY), clock.now)
    waiting = reported(cast, product, caps(("calls", "0.6"), start=NOVEMBER), clock.now)
    province = body_of(cast, clock, "330000", 803, cast.platform.reviewer)
    Registration.objects.filter(pk=old.pk).update(state="cancelled")
    register(cast, product, "province", code="ZJ-1", region="330000")
    assert Cap.objects.get(product=product, period__contains=TODAY).filing.authorising_body == cast.authority.organisation
    with pytest.raises(CapLevelTooHigh, match="ZJ-1"):
        cap_publish(filing=waiting, user=cast.authority.owner, at=clock.now)
    with pytest.raises(CapLevelTooHigh, match="ZJ-1"):
        draft(product, cast.authority.owner, clock.now)
    following = draft(product, cast.platform.reviewer, clock.now)
    Membership.objects.create(user=cast.platform.owner, organisation=province, roles=["decider"], created_at=clock.now)
    cap_approve(filing=following, user=cast.platform.owner, at=clock.now)
    cap_report(filing=following, report_no="省数报〔2026〕1号", user=cast.platform.reviewer, at=clock.now)
    cap_publish(filing=following, user=cast.platform.reviewer, at=clock.now)
    assert Cap.objects.get(product=product, period__contains=NOVEMBER).filing.authorising_body == province


def test_scenario_42_a_set_is_not_approved_after_a_product_moved_away(cast, clock, product):
    permitted = permit(cast, clock.now, product.authorisation)
    made = basket_draft(
        permitted_revenue=permitted,
        method="own",
        from_date=NOVEMBER,
        rows=[row(product, "1.00")],
        user=cast.authority.owner,
        at=clock.now,
    )
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=clock.now)
    register(cast, product, "province", code="ZJ-1", region="330000")
    with pytest.raises(BasketRowsRefused):
        basket_approve(basket=made, user=cast.authority.checker, at=clock.now)


def test_a_product_without_registration_follows_its_resources(cast, clock, product):
    from tests.factories.ground import make_registration, make_resource

    resource = make_resource(cast, clock.now)
    make_registration(cast, clock.now, resource, level="province", region="330000")
    assert pricing_place(product=product, on=TODAY).level == "city"
    product.resources.add(resource)
    place = pricing_place(product=product, on=TODAY)
    assert (place.level, place.registration.code) == ("province", "DJ-R-SB-001")
    register(cast, product, "city", code="SJ-1")
    assert pricing_place(product=product, on=TODAY).level == "city"
