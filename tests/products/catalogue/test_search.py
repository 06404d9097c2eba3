from products.catalogue.search import name_key, query_terms, search_terms


def test_chinese_is_found_by_pairs_and_latin_by_words():
    terms = set(search_terms("港口物流指数 Port index 2026", "ＡＰＩ"))
    assert {"港口", "口物", "物流", "流指", "指数", "port", "index", "2026", "api"} <= terms
    assert "数" not in terms


def test_a_query_uses_the_same_terms():
    assert query_terms("物流") == ["物流"]
    assert set(query_terms("Port 物流指")) == {"port", "物流", "流指"}
    assert set(query_terms("港口物流")) <= set(search_terms("宁波港口物流景气"))


def test_names_sort_by_pinyin():
    assert sorted(["企业", "港口", "社保"], key=name_key) == ["港口", "企业", "社保"]


def test_many_texts_stay_within_bounds():
    terms = search_terms("名称", "".join(chr(0x4E00 + index) for index in range(3000)), "a" * 100)
    assert len(terms) == 600
    assert max(len(term) for term in terms) <= 40
    assert "名称" in terms
