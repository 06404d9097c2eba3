"""Cost filings in the browser: template, upload with its preview, the audit row by row, who sees what."""

import io
import re
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from market.consoles.case_kinds import case_url, subjects_of
from pricing.costs import ledger
from pricing.costs.models import AllocationRule, CostFiling
from pricing.costs.services import cost_return
from products.models import Evidence, Organisation
from tests.market.pages import acting, text
from tests.pricing.costs.ledgers import (
    DONATION,
    FINE,
    FISCAL,
    OWN,
    SHARED,
    make_filing,
    make_operation,
    make_rule,
    row,
    xlsx,
)

OPERATOR, REGULATOR = "/console/operator/costs/", "/console/regulator/costs/"


@pytest.fixture
def operation(cast, clock):
    return make_operation(cast, clock.now)


@pytest.fixture
def filing(cast, clock, operation):
    return make_filing(cast, operation, clock.now, OWN, FISCAL, FINE)


def upload(client, operation, content, name="台账.xlsx", year=2025):
    file = SimpleUploadedFile(name, content)
    return client.post(f"{OPERATOR}new/", {"authorisation": operation.pk, "year": year, "file": file})


def test_an_operator_uploads_looks_and_files(cast, operation):
    client = acting(cast.operator.owner)
    assert "还没有" in text(client.get(OPERATOR)) or "尚未" in text(client.get(OPERATOR))
    answer = upload(client, operation, xlsx(OWN, FISCAL, FINE))
    assert answer.status_code == 302 and "/preview/" in answer.url
    page = text(client.get(answer.url))
    assert "¥4,220,000.00" in page and "¥1,200,000.00" in page and "65号" in page
    assert not CostFiling.objects.exists()
    filed = client.post(answer.url, {"statement": "与上年一致"})
    filing = CostFiling.objects.get()
    assert (filed.status_code, filed.url) == (302, f"{OPERATOR}{filing.pk}/")
    assert client.get(answer.url).url == filed.url
    page = text(client.get(filed.url))
    assert "与上年一致" in page and "20" in page
    assert (
        client.get(f"{filed.url}file/").content == xlsx(OWN, FISCAL, FINE) or client.get(f"{filed.url}file/").content[:2] == b"PK"
    )


def test_a_bad_file_comes_back_as_a_list_with_cells_and_nothing_is_kept(cast, operation):
    client = acting(cast.operator.owner)
    answer = upload(client, operation, xlsx(row(OWN, nature="神秘"), row(FINE, amount=-1), row(OWN, year=2024)))
    assert answer.status_code == 422
    page = text(answer)
    assert all(cell in page for cell in (">B2<", ">F3<", ">E4<"))
    assert (Evidence.objects.count(), CostFiling.objects.count()) == (0, 0)
    signed = re.search(r'name="problems" value="([^"]+)"', page)[1]
    listed = client.post(f"{OPERATOR}problems.csv", {"problems": signed})
    assert listed["Content-Disposition"].startswith("attachment") and "F3,not_positive" in listed.content.decode("utf-8-sig")
    assert client.post(f"{OPERATOR}problems.csv", {"problems": signed[:-2] + "xx"}).status_code == 400
    assert upload(client, operation, b"%PDF-1.7", name="a.pdf").status_code == 422
    assert upload(client, operation, xlsx(row(OWN, year=2026)), year=2026).status_code == 422


def test_the_template_is_read_by_its_own_reader(cast, clock, operation):
    make_rule(cast, clock.now)
    client = acting(cast.operator.owner)
    content = client.get(f"{OPERATOR}template.xlsx").content
    book = load_workbook(io.BytesIO(content))
    sheet = book["成本台账"]
    assert [cell.value for cell in sheet[1]][:3] == ["成本项目", "成本性质", "业务线"]
    assert len(sheet.data_validations.dataValidation) == 6
    assert "staff-hours" in [cell.value for cell in book["选项"]["G"]]
    sheet.append(OWN)
    sheet.append(SHARED)
    filled = io.BytesIO()
    book.save(filled)
    known = {"year": 2025, "products": frozenset(), "allocations": {"staff-hours": 1}}
    found = ledger.read(file_name="a.xlsx", content=filled.getvalue(), **known)
    assert (len(found.rows), found.examples) == (2, 3)
    blank = client.get(f"{OPERATOR}template.csv").content
    found = ledger.read(file_name="a.csv", content=blank + ",".join(map(str, OWN)).encode(), **known)
    assert (len(found.rows), found.examples) == (1, 3)


def test_another_operator_sees_and_files_nothing_of_it(cast, clock, operation, filing):
    client = acting(cast.operator_b.owner)
    for url in (f"{filing.pk}/", f"{filing.pk}/file/", f"{filing.pk}/ledger.csv", f"preview/{filing.file_id}/"):
        assert client.get(OPERATOR + url).status_code == 404
    assert client.post(f"{OPERATOR}{filing.pk}/withdraw/", {"reason": "x"}).status_code == 404
    assert upload(client, operation, xlsx(OWN)).status_code == 422
    developer = acting(cast.operator.developer)
    assert developer.get(f"{OPERATOR}new/").status_code == 403
    assert developer.get(f"{OPERATOR}{filing.pk}/").status_code == 200


def test_the_regulator_overrules_a_row_without_losing_the_place(cast, filing):
    client = acting(cast.regulator.decider)
    item = filing.items.get(item=FINE[0])
    query = urlencode({"nature": "fine"})
    page = text(client.get(f"{REGULATOR}{filing.pk}/?{query}&row={item.pk}"))
    assert f'id="id_{item.pk}_amount"' in page and FISCAL[0] not in page
    url = f"{REGULATOR}{filing.pk}/rows/{item.pk}/?{query}"
    bad = client.post(url, {"amount": "99999999", "reason": "理由写在这里"})
    assert bad.status_code == 422 and "理由写在这里" in text(bad) and "20000.00" in text(bad)
    assert client.post(url, {"amount": "1.234", "reason": "x"}).status_code == 422
    assert client.post(url, {"amount": "1", "reason": ""}).status_code == 422
    done = client.post(url, {"amount": "500.50", "reason": "其中属合同违约金"})
    assert (done.status_code, done.url) == (302, f"{REGULATOR}{filing.pk}/?{query}#r{item.pk}")
    item.refresh_from_db()
    assert (item.overruled_minor, item.counted_minor) == (50050, 50050)
    assert "其中属合同违约金" in text(client.get(done.url)) and "¥500.50" in text(client.get(done.url))


def test_htmx_gets_the_row_and_the_figures_only(cast, filing):
    client = acting(cast.regulator.decider)
    item = filing.items.get(item=OWN[0])
    url = f"{REGULATOR}{filing.pk}/rows/{item.pk}/?page=1"
    form = text(client.get(url, headers={"HX-Request": "true"}))
    assert form.lstrip().startswith(f'<tbody id="r{item.pk}"') and "<html" not in form and "hx-post" in form
    done = text(client.post(url, {"amount": "0", "reason": "不合理"}, headers={"HX-Request": "true"}))
    assert 'hx-swap-oob="true"' in done and "不合理" in done and "¥0.00" in done
    assert client.get(url).status_code == 302


def test_the_regulator_returns_or_finishes_with_a_reason(cast, clock, operation, filing):
    client = acting(cast.regulator.decider)
    page = f"{REGULATOR}{filing.pk}/"
    assert client.post(f"{page}decide/", {"step": "audit", "reason": ""}).status_code == 422
    assert client.post(f"{page}decide/", {"step": "dance", "reason": "x"}).status_code == 404
    client.post(f"{page}decide/", {"step": "return", "reason": "缺折旧明细"})
    filing.refresh_from_db()
    assert (filing.state, filing.decision_reason) == ("returned", "缺折旧明细")
    operator = acting(cast.operator.owner)
    assert "缺折旧明细" in text(operator.get(f"{OPERATOR}{filing.pk}/"))
    clock.move(days=1)
    second = make_filing(cast, operation, clock.now, OWN, DONATION)
    page = f"{REGULATOR}{second.pk}/"
    shown = text(client.get(page))
    assert "缺折旧明细" in shown and DONATION[0] in shown and FINE[0] in shown
    assert case_url(second.case) == f"{REGULATOR}cases/{second.case.pk}/"
    assert client.get(case_url(second.case)).url == page
    assert subjects_of([second.case])[second.case.pk].startswith("甬数") or "2025" in subjects_of([second.case])[second.case.pk]
    client.post(f"{page}decide/", {"step": "audit", "reason": "凭证齐全"})
    second.refresh_from_db()
    assert second.state == "audited"
    assert "核定" not in re.findall(r'<button name="step"[^>]*>([^<]*)', text(client.get(page)))


def test_the_data_bureau_reads_and_changes_nothing(cast, filing):
    client = acting(cast.data_bureau.reviewer)
    item = filing.items.first()
    page = text(client.get(f"{REGULATOR}{filing.pk}/?row={item.pk}"))
    assert OWN[0] in page and 'name="step"' not in page and f'id="id_{item.pk}_amount"' not in page
    assert client.post(f"{REGULATOR}{filing.pk}/decide/", {"step": "audit", "reason": "x"}).status_code == 403
    assert client.post(f"{REGULATOR}{filing.pk}/rows/{item.pk}/", {"amount": "1", "reason": "x"}).status_code == 403
    filing.refresh_from_db()
    assert filing.state == "submitted"


def test_another_region_sees_nothing(cast, filing):
    Organisation.objects.filter(kind="data_bureau").update(region="460000")
    client = acting(cast.data_bureau.owner)
    for url in ("", "file/", "ledger.csv"):
        assert client.get(f"{REGULATOR}{filing.pk}/{url}").status_code == 404


def test_the_whole_ledger_is_exported_with_what_was_decided(cast, clock, operation, filing):
    client = acting(cast.regulator.decider)
    item = filing.items.get(item=OWN[0])
    client.post(f"{REGULATOR}{filing.pk}/rows/{item.pk}/", {"amount": "1000000", "reason": "=cmd 折旧"})
    rows = client.get(f"{REGULATOR}{filing.pk}/ledger.csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == 4 and "1000000.00" in rows[1] and "'=cmd" in rows[1]
    sheet = load_workbook(io.BytesIO(client.get(f"{REGULATOR}{filing.pk}/ledger.xlsx").content)).active
    assert [sheet.cell(line, 15).value for line in (2, 3, 4)] == [1000000, 0, 0]
    assert sheet.cell(2, 14).value == "=cmd 折旧" and sheet.cell(2, 14).data_type == "s"
    assert client.get(f"{REGULATOR}{filing.pk}/ledger.pdf").status_code == 404


def test_an_operator_makes_rules_and_versions(cast, operation):
    client = acting(cast.operator.owner)
    form = {"code": "staff-hours", "name": "按工时", "driver": "工时", "reason": "考勤"}
    parts = {"parts-TOTAL_FORMS": "3", "parts-INITIAL_FORMS": "0"}
    parts |= {"parts-0-business_line": "public_data", "parts-0-percent": "60", "parts-1-business_line": "系统集成"}
    bad = client.post(f"{OPERATOR}rules/new/", form | parts | {"parts-1-percent": "39"})
    assert bad.status_code == 422 and "99 %" in text(bad) and "系统集成" in text(bad)
    assert client.post(f"{OPERATOR}rules/new/", form | parts | {"parts-1-percent": "40"}).status_code == 302
    again = text(client.get(f"{OPERATOR}rules/new/?code=staff-hours"))
    assert "系统集成" in again
    client.post(f"{OPERATOR}rules/new/", form | parts | {"parts-1-percent": "40"})
    assert list(AllocationRule.objects.values_list("version", flat=True).order_by("version")) == [1, 2]
    page = text(client.get(f"{OPERATOR}rules/"))
    assert "v2" in page and "v1" in page


def test_withdrawing_needs_a_reason(cast, filing):
    client = acting(cast.operator.checker)
    client.post(f"{OPERATOR}{filing.pk}/withdraw/", {"reason": ""})
    filing.refresh_from_db()
    assert filing.state == "submitted"
    client.post(f"{OPERATOR}{filing.pk}/withdraw/", {"reason": "口径有误"})
    filing.refresh_from_db()
    assert filing.state == "withdrawn"


def many(count):
    return [row(OWN, voucher=f"记-{number:04d}", amount=100 + number) for number in range(count)]


def test_a_thousand_rows_are_paged_and_cost_a_fixed_number_of_queries(cast, clock, operation, queries_of):
    small = make_filing(cast, operation, clock.now, OWN, FINE)
    client, operator = acting(cast.regulator.decider), acting(cast.operator.owner)
    urls = [(client, REGULATOR), (operator, OPERATOR)]
    pages = [(client, f"{REGULATOR}{small.pk}/"), (operator, f"{OPERATOR}{small.pk}/")]
    before = [queries_of(*each) for each in [*urls, *pages]]
    others = [make_operation(cast, clock.now, number=f"江数授〔2024〕9{number}号") for number in range(3)]
    large = make_filing(cast, others[0], clock.now, *many(1000))
    for other in others[1:]:
        make_filing(cast, other, clock.now, *many(2))
    pages = [(client, f"{REGULATOR}{large.pk}/"), (operator, f"{OPERATOR}{large.pk}/")]
    assert [queries_of(*each) for each in [*urls, *pages]] == before
    assert max(before) <= 22
    assert "记-0099" in text(client.get(f"{REGULATOR}{large.pk}/")) and "记-0100" in text(
        client.get(f"{REGULATOR}{large.pk}/?page=2")
    )


def test_the_comparison_of_versions_has_a_fixed_number_of_queries(cast, clock, operation, queries_of):
    first = make_filing(cast, operation, clock.now, *many(5))
    cost_return(filing=first, reason="重报", user=cast.regulator.owner, at=clock.now)
    second = make_filing(cast, operation, clock.now, *many(300))
    client = acting(cast.regulator.decider)
    assert queries_of(client, f"{REGULATOR}{second.pk}/") <= 24
