"""What a plan's words may not say, with the words that were found; and what is no such clause."""

import pytest

from pricing.tariffs.clauses import CLAUSE_WORDS, PATTERNS, WHAT_TO_DO, forbidden_clauses


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("本套餐为独家合作。", "exclusivity", "独家"),
        ("合同期内不得向其他运营机构购买同类产品。", "exclusivity", "不得向其他运营机构购买同类产品"),
        ("The buyer may not buy similar data from any other operator.", "exclusivity", None),
        ("This is an exclusive licence.", "exclusivity", "exclusive"),
        ("购买本产品须同时订购数据清洗服务。", "tie_in", "须同时订购"),
        ("以购买基础服务为前提。", "tie_in", None),
        ("You must also subscribe to the storage service.", "tie_in", "must also subscribe"),
        ("年末按用量返利。", "loyalty", "返利"),
        ("全部需求均向本机构采购的享受八折。", "loyalty", None),
        ("A loyalty rebate is paid each year.", "loyalty", "loyalty"),
        ("指定客户享受五折优惠。", "private_discount", None),
        ("价格面议。", "private_discount", "面议"),
        ("仅限江城银行使用。", "private_discount", None),
        ("91330200MA2T001030 按七折执行。", "private_discount", "91330200MA2T001030"),
        ("A special price is agreed with selected customers only.", "private_discount", "special price"),
        ("另收接入费5000元。", "extra_fee", None),
        ("签约时缴纳保证金。", "extra_fee", "保证金"),
        ("A set-up fee of 500 yuan applies.", "extra_fee", "set-up fee"),
        ("A security deposit is required.", "extra_fee", None),
    ],
)
def test_scenario_44_a_clause_is_found_with_its_words(text, kind, words):
    found = forbidden_clauses(text)
    assert kind in [clause.kind for clause in found]
    assert words is None or words in [clause.words for clause in found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "按月计费，随时可退订。",
        "本套餐不要求独家合作，不收取押金，无需缴纳保证金。",
        "No exclusive use is asked for, and no deposit is required.",
        "Prices are the same for every customer.",
        "用量达到一万次后适用第二档价格，对所有用户开放。",
        "不得将结果用于授权用途以外。",
        "You may not use the results for other purposes.",
        "可与其他产品同时使用。",
        "数据每月更新，接口支持批量调用。",
    ],
)
def test_what_is_no_such_clause_is_let_through(text):
    assert forbidden_clauses(text) == []


def test_every_kind_has_words_and_says_what_to_write_instead():
    assert set(PATTERNS) == set(CLAUSE_WORDS) == set(WHAT_TO_DO)
