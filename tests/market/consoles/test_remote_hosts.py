"""The egress allow-list: an operator asks for its own host, a reviewer from outside decides, both can close it; their pages."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from products.catalogue import remote_hosts
from products.catalogue.models import RemoteHost
from products.catalogue.permissions import NotAllowed
from products.organisations.models import Membership
from products.organisations.selectors import RoleMissing
from products.record.models import AuditEntry

pytestmark = pytest.mark.django_db
OWN, QUEUE = "/console/operator/remote-hosts/", "/console/platform/remote-hosts/"
GIVEN = {"host": "API.Example.com.", "port": 8443, "reason": "信用评分服务"}


@pytest.fixture
def asked(cast, clock) -> RemoteHost:
    return ask(cast, clock)


def ask(cast, clock, **changes) -> RemoteHost:
    facts = {"operator": cast.operator.organisation, "by": cast.operator.owner, "at": clock.now} | GIVEN
    return remote_hosts.remote_host_request(**facts | changes)


def decide(asked, by, clock, is_allowed=True):
    return remote_hosts.remote_host_decide(remote_host=asked, is_allowed=is_allowed, reason="查过了", by=by, at=clock.now)


def allows(cast) -> bool:
    return remote_hosts.host_is_allowed(operator=cast.operator.organisation, host="api.example.com", port=8443)


# --- Services ----------------------------------------------------------------------------------------------------------------


def test_a_host_may_be_called_once_it_is_allowed_and_until_it_is_withdrawn(cast, clock, asked):
    assert (asked.host, asked.state, allows(cast)) == ("api.example.com", "requested", False)
    decide(asked, cast.platform.reviewer, clock)
    assert allows(cast)
    remote_hosts.remote_host_withdraw(remote_host=asked, reason="服务下线", by=cast.operator.owner, at=clock.now)
    assert (asked.state, allows(cast)) == ("withdrawn", False)
    actions = AuditEntry.objects.filter(action__startswith="remote_host.").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["remote_host.requested", "remote_host.allowed", "remote_host.withdrawn"]
    assert ask(cast, clock).state == "requested", "what was withdrawn may be asked for again"


@pytest.mark.parametrize(
    ("change", "refusal", "field"),
    [
        ({"host": "10.0.0.1"}, remote_hosts.HostNotWellFormed, "host"),
        ({"host": "localhost"}, remote_hosts.HostNotWellFormed, "host"),
        ({"host": "db.internal"}, remote_hosts.HostNotWellFormed, "host"),
        ({"port": 25}, remote_hosts.HostNotWellFormed, "port"),
        ({"reason": " "}, remote_hosts.ReasonMissing, "reason"),
    ],
)
def test_what_is_no_host_of_the_public_internet_is_refused_by_its_field(cast, clock, change, refusal, field):
    with pytest.raises(refusal) as refused:
        ask(cast, clock, **change)
    assert refused.value.field == field and not RemoteHost.objects.exists()


def test_a_host_is_asked_for_once_at_a_time(cast, clock, asked):
    with pytest.raises(remote_hosts.HostAskedAlready):
        ask(cast, clock)
    other = ask(cast, clock, operator=cast.operator_b.organisation, by=cast.operator_b.owner)
    assert other.state == "requested", "each operator asks for itself"


def test_only_a_publisher_of_the_operator_asks(cast, clock):
    for person in (cast.operator.checker, cast.operator_b.owner, cast.platform.reviewer, cast.buyer.owner):
        with pytest.raises(RoleMissing):
            ask(cast, clock, by=person)


def test_nobody_of_the_operator_and_nobody_without_the_role_decides(cast, clock, asked, request):
    Membership.objects.create(
        user=cast.platform.reviewer, organisation=cast.operator.organisation, roles=["developer"], created_at=clock.now
    )
    people = (cast.operator.owner, cast.platform.reviewer, cast.platform.cashier, cast.operator_b.owner, cast.regulator.owner)
    for person in people:
        with pytest.raises(NotAllowed):
            decide(asked, person, clock)
    with pytest.raises(NotAllowed):  # an authorising body, but not this operator's
        decide(asked, cast.authority.owner, clock)
    request.getfixturevalue("ground")  # an authorisation of the operator
    assert decide(asked, cast.authority.owner, clock, is_allowed=False).state == "refused"


def test_who_asked_does_not_decide_even_as_a_reviewer_later(cast, clock, asked):
    RemoteHost.objects.update(requested_by=cast.platform.reviewer)
    with pytest.raises(remote_hosts.HostStateRefused):
        decide(asked, cast.platform.reviewer, clock)
    with pytest.raises(IntegrityError, match="remote_host_by_two_people"), transaction.atomic():
        RemoteHost.objects.update(state="allowed", decided_by=cast.platform.reviewer, decided_at=clock.now)
    with pytest.raises(IntegrityError, match="remote_host_decided_by_a_person"), transaction.atomic():
        RemoteHost.objects.update(state="allowed")


def test_a_request_is_decided_once_and_closed_once(cast, clock, asked):
    decide(asked, cast.platform.reviewer, clock, is_allowed=False)
    with pytest.raises(remote_hosts.HostStateRefused):
        decide(asked, cast.data_bureau.reviewer, clock)
    with pytest.raises(remote_hosts.HostStateRefused):
        remote_hosts.remote_host_withdraw(remote_host=asked, reason="下线", by=cast.operator.owner, at=clock.now)


# --- Pages -------------------------------------------------------------------------------------------------------------------


def test_the_operator_asks_on_its_page_and_a_bad_request_keeps_what_was_typed(cast, sign_in):
    client = sign_in(cast.operator.owner)
    answer = client.post(OWN, GIVEN | {"host": "192.168.1.5"})
    assert answer.status_code == 422 and "host" in answer.context["form"].errors
    assert "192.168.1.5" in answer.content.decode() and "信用评分服务" in answer.content.decode()
    for wrong, field in (({"port": "0"}, "port"), ({"port": "x"}, "port"), ({"host": ""}, "host"), ({"reason": ""}, "reason")):
        answer = client.post(OWN, GIVEN | wrong)
        assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert not RemoteHost.objects.exists()
    assert client.post(OWN, GIVEN).status_code == 302
    assert "api.example.com:8443" in client.get(OWN).content.decode()
    again = client.post(OWN, GIVEN)
    assert again.status_code == 422 and "host" in again.context["form"].errors


def test_a_reviewer_allows_with_a_reason_that_the_operator_reads(cast, asked, sign_in):
    reviewer, url = sign_in(cast.platform.reviewer), f"{QUEUE}{asked.pk}/"
    assert [each.pk for each in reviewer.get(QUEUE).context["page"]] == [asked.pk]
    assert "信用评分服务" in reviewer.get(url).content.decode()
    for wrong in ({"decision": "allow", "reason": " "}, {"decision": "", "reason": "好"}, {"decision": "maybe", "reason": "好"}):
        assert reviewer.post(url, wrong).status_code == 422
    assert reviewer.post(url, {"decision": "allow", "reason": "证书与地址相符"}).status_code == 302
    assert not reviewer.get(QUEUE).context["page"].object_list
    assert [each.pk for each in reviewer.get(QUEUE + "?show=decided").context["page"]] == [asked.pk]
    assert "证书与地址相符" in sign_in(cast.operator.owner).get(f"{OWN}{asked.pk}/").content.decode()
    late = sign_in(cast.data_bureau.reviewer).post(url, {"decision": "refuse", "reason": "我慢了一步"})
    assert late.status_code == 422 and "我慢了一步" in late.content.decode()
    asked.refresh_from_db()
    assert asked.state == "allowed"


def test_who_asked_is_told_on_the_page_and_refused_with_what_was_typed(cast, asked, sign_in):
    RemoteHost.objects.update(requested_by=cast.platform.reviewer)
    client, url = sign_in(cast.platform.reviewer), f"{QUEUE}{asked.pk}/"
    assert 'name="decision"' not in client.get(url).content.decode()
    answer = client.post(url, {"decision": "allow", "reason": "自己批自己"})
    assert answer.status_code == 422 and "自己批自己" in answer.content.decode()
    asked.refresh_from_db()
    assert asked.state == "requested"


@pytest.mark.parametrize("side", ["operator", "office"])
def test_both_sides_close_an_allowed_host_with_a_reason(cast, clock, asked, sign_in, side):
    decide(asked, cast.platform.reviewer, clock)
    client = sign_in(cast.operator.owner if side == "operator" else cast.data_bureau.reviewer)
    url = f"{OWN}{asked.pk}/" if side == "operator" else f"{QUEUE}{asked.pk}/withdraw/"
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "证书过期"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.state, asked.withdrawal) == ("withdrawn", "证书过期")
    again = client.post(url, {"reason": "再来一次"})
    assert again.status_code == 422 and "再来一次" in again.content.decode()


def test_another_operators_host_is_not_found(cast, clock, asked, sign_in, request):
    client = sign_in(cast.operator_b.owner)
    assert client.get(f"{OWN}{asked.pk}/").status_code == 404
    assert client.post(f"{OWN}{asked.pk}/", {"reason": "不是我的"}).status_code == 404
    assert not client.get(OWN).context["page"].object_list
    body = sign_in(cast.authority.owner)  # has authorised nobody yet
    assert body.get(f"{QUEUE}{asked.pk}/").status_code == 404
    assert body.post(f"{QUEUE}{asked.pk}/withdraw/", {"reason": "不归我管"}).status_code == 404
    request.getfixturevalue("ground")  # an authorisation of the operator
    assert body.get(f"{QUEUE}{asked.pk}/").status_code == 200
    asked.refresh_from_db()
    assert asked.state == "requested"


def test_the_lists_cost_the_same_however_long(cast, clock, asked, sign_in, queries_of):
    operator, reviewer = sign_in(cast.operator.owner), sign_in(cast.platform.reviewer)
    few = [queries_of(operator, OWN), queries_of(reviewer, QUEUE)]
    for number in range(8):
        ask(cast, clock, host=f"api{number}.example.com")
    assert [queries_of(operator, OWN), queries_of(reviewer, QUEUE)] == few
    assert max(few) <= 12, few
