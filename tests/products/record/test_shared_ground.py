"""Evidence, notices, maker-checker, rule sets."""

from __future__ import annotations

import io
import logging
import zipfile
from datetime import date

import pytest
from django.core import mail

from products.models import AuditEntry, Notice, Proposal
from products.record import evidence, notices, proposals, rule_sets
from products.record.evidence import EvidenceEmpty, EvidenceTooLarge, EvidenceTypeNotAllowed


def office(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in ("[Content_Types].xml", *names):
            file.writestr(name, "x")
    return buffer.getvalue()


GOOD = {
    "a.pdf": (b"%PDF-1.7 ...", "application/pdf"),
    "a.png": (b"\x89PNG\r\n\x1a\n...", "image/png"),
    "a.JPG": (b"\xff\xd8\xff\xe0...", "image/jpeg"),
    "a.docx": (office("word/document.xml"), evidence.DOCX),
    "a.xlsx": (office("xl/workbook.xml"), evidence.XLSX),
    "表.csv": ("字段,值\n名称,1\n".encode(), "text/plain"),
}
BAD = {
    "a.html": b"<html><script>alert(1)</script>",
    "a.txt": b"<svg onload=alert(1)>",
    "a.pdf": b"MZ\x90\x00",
    "b.png": b"%PDF-1.7 under another name",
    "a.csv": b"\x81\xff neither UTF-8 nor GB18030",
    "a.zip": office("other"),
    "a.xlsx": office("xl/workbook.xml", "xl/vbaProject.bin"),
    "a.svg": b"%PDF-1.7",
    "a.docx": b"PK\x03\x04 broken",
}


@pytest.fixture
def keep(cast, clock):
    def kept(name, content):
        return evidence.keep(
            organisation=cast.buyer.organisation,
            user=cast.buyer.owner,
            file_name=name,
            content=content,
            content_type="text/html",
            purpose="certificate",
            at=clock.now,
        )

    return kept


@pytest.mark.parametrize("name", GOOD)
def test_evidence_is_kept_under_the_type_of_its_content(keep, name):
    content, media_type = GOOD[name]
    kept = keep(name, content)
    assert (kept.content_type, kept.size, len(kept.sha256)) == (media_type, len(content), 64)


def test_an_office_file_damaged_anywhere_has_a_type_or_none():
    whole, answers = office("xl/workbook.xml"), set()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        answers.add(evidence.sniff(bytes(damaged)))
    assert {None, evidence.XLSX} <= answers


@pytest.mark.parametrize("name", BAD)
def test_evidence_that_is_not_what_it_says_is_refused(keep, name):
    with pytest.raises(EvidenceTypeNotAllowed):
        keep(name, BAD[name])


def test_evidence_has_a_size(keep, settings):
    with pytest.raises(EvidenceEmpty):
        keep("a.pdf", b"")
    settings.MAX_EVIDENCE_BYTES = 20
    with pytest.raises(EvidenceTooLarge):
        keep("a.pdf", b"%PDF-" + b"x" * 16)


def test_a_file_name_loses_its_folders_and_control_characters(keep):
    assert keep("..\\..\\etc/pass\r\nwd.pdf", b"%PDF-1").file_name == "passwd.pdf"
    assert len(keep("长" * 300 + ".pdf", b"%PDF-1").file_name) == 200


def test_a_notice_reaches_the_members_with_the_role_once(cast, clock):
    notices.define("test.news", subject="News", text="About %(thing)s and %(other)s.")
    written = notices.notify(
        kind="test.news",
        organisation=cast.buyer.organisation,
        roles=["approver", "finance"],
        users=[cast.buyer.approver, cast.stranger],
        facts={"thing": "合同"},
        url="/console/",
        at=clock.now,
    )
    assert {notice.user for notice in written} == {cast.buyer.approver, cast.stranger}
    assert notices.words_of(written[0]) == ("News", "About 合同 and –.")


def test_a_notice_is_mailed_once_and_its_words_stay_out_of_the_log(cast, clock, caplog, settings):
    notices.define("test.news", subject="News", text="About %(thing)s.")
    cast.buyer.owner.language = "en"
    cast.buyer.owner.save()
    written = notices.notify(kind="test.news", users=[cast.buyer.owner], facts={"thing": "secret"}, url="/x/", at=clock.now)
    ids = [notice.pk for notice in written]
    with caplog.at_level(logging.DEBUG):
        assert notices.mail(notice_ids=ids, at=clock.now) == 1
        assert notices.mail(notice_ids=ids, at=clock.now) == 0
    assert [(m.to, m.subject) for m in mail.outbox] == [([cast.buyer.owner.email], "News")]
    assert "About secret." in mail.outbox[0].body
    assert f"{settings.PUBLIC_URL}/x/" in mail.outbox[0].body
    assert "secret" not in caplog.text
    assert cast.buyer.owner.email not in caplog.text


def test_a_notice_queues_its_mail_in_the_transaction(cast, clock):
    from procrastinate.contrib.django.models import ProcrastinateJob

    written = notices.notify(kind="test.news", users=[cast.stranger], facts={}, at=clock.now)
    job = ProcrastinateJob.objects.get(queue_name="mail")
    assert job.args == {"notice_ids": [written[0].pk]}


def test_reading_marks_only_the_own_notices(cast, clock):
    notices.notify(kind="test.news", users=[cast.stranger, cast.buyer.owner], facts={}, at=clock.now)
    assert notices.mark_read(user=cast.stranger, at=clock.now) == 1
    assert notices.unread_count(user=cast.stranger) == 0
    assert notices.unread_count(user=cast.buyer.owner) == 1
    assert Notice.objects.filter(read_at=None).count() == 1


@pytest.fixture
def proposal(cast, clock):
    return proposals.propose(
        organisation=cast.authority.organisation,
        act="cap.approve",
        obj=("pricing.capfiling", "1"),
        user=cast.authority.owner,
        reason="按成本核定",
        at=clock.now,
    )


def test_the_maker_is_never_the_checker(proposal, cast, clock):
    with pytest.raises(proposals.MakerIsChecker):
        proposals.approve(proposal=proposal, user=cast.authority.owner, at=clock.now)
    with pytest.raises(proposals.MakerIsChecker):
        proposals.reject(proposal=proposal, user=cast.authority.owner, reason="no", at=clock.now)
    assert proposals.approve(proposal=proposal, user=cast.authority.checker, at=clock.now).state == Proposal.State.APPROVED


def test_a_proposal_is_decided_once(proposal, cast, clock):
    with pytest.raises(proposals.ReasonMissing):
        proposals.reject(proposal=proposal, user=cast.authority.checker, reason=" ", at=clock.now)
    proposals.reject(proposal=proposal, user=cast.authority.checker, reason="缺依据", at=clock.now)
    with pytest.raises(proposals.ProposalDecided):
        proposals.approve(proposal=proposal, user=cast.authority.checker, at=clock.now)
    with pytest.raises(proposals.NotTheMaker):
        proposals.withdraw(proposal=proposal, user=cast.authority.checker, at=clock.now)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["proposal.proposed", "proposal.rejected"]


def test_one_proposal_is_open_at_a_time(proposal, cast, clock):
    again = dict(
        organisation=cast.authority.organisation,
        act="cap.approve",
        obj=("pricing.capfiling", "1"),
        user=cast.authority.owner,
        at=clock.now,
    )
    with pytest.raises(proposals.ProposalAlreadyOpen):
        proposals.propose(**again)
    proposals.withdraw(proposal=proposal, user=cast.authority.owner, at=clock.now)
    assert proposals.propose(**again).state == Proposal.State.PROPOSED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("on", "jurisdiction", "years"),
    [
        (date(2026, 10, 20), "CN", 5),
        (date(2025, 8, 31), "330200", 3),
        (date(2025, 9, 1), "330200", 5),
        (date(2025, 8, 31), "440100", 5),
    ],
)
def test_a_parameter_follows_the_date_and_the_place(on, jurisdiction, years):
    assert rule_sets.parameter(name="authorisation_max_years", on=on, jurisdiction=jurisdiction) == years


@pytest.mark.django_db
def test_a_parameter_that_no_rule_set_knows_is_refused():
    with pytest.raises(rule_sets.ParameterNotSet):
        rule_sets.parameter(name="cycle_months", on=date(1999, 1, 1))
    with pytest.raises(rule_sets.ParameterNotSet):
        rule_sets.parameter(name="no_such", on=date(2026, 1, 1))


def test_rule_sets_of_one_place_do_not_overlap_and_end_once(cast, clock):
    first = rule_sets.RuleSet.objects.get(jurisdiction="CN")
    new = dict(
        jurisdiction="CN",
        name="新规则",
        source="号",
        from_date=date(2027, 1, 1),
        parameters={"cycle_months": 24},
        user=cast.platform.owner,
        at=clock.now,
    )
    with pytest.raises(rule_sets.RuleSetOverlaps):
        rule_sets.rule_set_add(**new)
    rule_sets.rule_set_end(rule_set=first, to_date=date(2027, 1, 1), user=cast.platform.owner, at=clock.now)
    rule_sets.rule_set_add(**new)
    assert rule_sets.parameter(name="cycle_months", on=date(2026, 12, 31)) == 36
    assert rule_sets.parameter(name="cycle_months", on=date(2027, 1, 1)) == 24
    with pytest.raises(rule_sets.RuleSetEndFixed):
        rule_sets.rule_set_end(rule_set=first, to_date=date(2028, 1, 1), user=cast.platform.owner, at=clock.now)


def test_loading_the_reference_data_again_changes_nothing(db):
    from products import reference
    from products.models import CalendarDay, Purpose, RuleSet

    counted = [model.objects.count() for model in (Purpose, RuleSet, CalendarDay)]
    reference.load()
    assert [model.objects.count() for model in (Purpose, RuleSet, CalendarDay)] == counted
