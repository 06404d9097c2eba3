"""What the terms of a plan may not say: each kind of clause with the words that give it away, in Chinese and English.

A word check is a tripwire, not a judge: it shows the words that it found, so that the author can write what was meant. What it
does not find, the regulator and the public read beside the price. Sources: domain.md R7, R51, R61 and scenarios 35, 43, 44.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CLAUSE_WORDS: dict[str, str | Promise] = {
    "exclusivity": _("an exclusive deal"),
    "tie_in": _("a tie-in: something else must be bought as well"),
    "loyalty": _("a reward or a penalty for staying loyal"),
    "private_discount": _("a price for named customers only"),
    "extra_fee": _("a fee or a deposit beside the price"),
}
WHAT_TO_DO: dict[str, str | Promise] = {
    "exclusivity": _("Nobody may be bound to one operator or kept out by it. Take the clause out."),
    "tie_in": _("Each product is sold by itself. Offer a bundle beside the single plans instead."),
    "loyalty": _("A price follows usage, purpose and scenario. Write a volume tier that is open to all instead."),
    "private_discount": _("Write a discount with a condition that everyone can meet into the tariff document instead."),
    "extra_fee": _("Write it into the tariff document as a component: it counts into the price that is held against the cap."),
}
# Words that take the meaning away where they stand right before the match: “不要求独家”, “no exclusive …”.
NEGATION = re.compile(
    r"(?:不(?:要求|需要?|必|设|含|收取?|另收|构成|属于|存在|得(?:要求|约定|收取|附加)?)|无(?:需|须)?|没有|并非|非|免(?:收|除)?|禁止|杜绝"
    r"|\bno|\bnot|\bnon|\bnever|\bwithout|\bn[o']t (?:an?|the|any))[\s\-的任何]{0,4}(?:缴纳|支付|交纳|收取|提供)?$",
    re.IGNORECASE,
)
PATTERNS: dict[str, tuple[str, ...]] = {
    "exclusivity": (
        r"独家",
        r"排他",
        r"独占",
        r"(?:不得|不可|不能|禁止|不允许)(?:再)?(?:向|从|与|同|使用|采购|购买|接入|委托)?(?:任何)?(?:其他|其它|第三方|别的|竞争)[^，。；,;.]{0,16}"
        r"(?:购买|采购|合作|使用|签约|交易|接入|获取|机构|平台|产品)",
        r"(?:只能|仅可|只可|必须仅)(?:向|从|通过)[^，。；,;.]{0,12}(?:购买|采购|获取|接入)",
        r"二选一",
        r"\bexclusiv(?:e|ely|ity)\b",
        r"\b(?:may|shall|must|can) ?not (?:buy|purchase|source|obtain|contract|deal)\b[^.;,]{0,30}"
        r"\b(?:(?:from|with) (?:any )?(?:other|another|third|competit\w+)|elsewhere)\b",
        r"\bsole (?:supplier|source|provider)\b",
        r"\bonly (?:buy|purchase|source) (?:from|through)\b",
    ),
    "tie_in": (
        r"(?:须|必须|需要?|应当?)(?:同时|一并|另行|另外|配套|捆绑)[^，。；,;.]{0,8}(?:购买|订购|采购|开通|使用|签订)",
        r"(?:购买|订购|开通)[^，。；,;.]{0,20}(?:为前提|为条件|方可|后方能|后才能|才可)",
        r"以[^，。；,;.]{0,20}(?:购买|订购|采购|开通)[^，。；,;.]{0,20}为(?:前提|条件)",
        r"搭售",
        r"捆绑销售",
        r"\b(?:must|shall|need to|have to|required to) (?:also |additionally )(?:buy|purchase|subscribe|order|take)\b",
        r"\b(?:only|provided) (?:if|when|that) (?:you|the buyer|the customer)[^.;]{0,30}(?:buy|purchase|subscribe)\w*\b",
        r"\btie[- ]?in\b",
        r"\btied (?:sale|purchase|product)\b",
        r"\bcondition(?:al)? (?:on|upon|of) (?:the )?(?:purchase|buying|subscription)\b",
    ),
    "loyalty": (
        r"忠诚",
        r"(?:累计|连续)[^，。；,;.]{0,12}(?:返利|返现|返点|返还)",
        r"返利",
        r"返点",
        r"(?:转用|改用|更换|转投)[^，。；,;.]{0,12}(?:违约金|赔偿|罚)",
        r"(?:全部|所有|[六七八九][成十]|[6-9]\d\s*[%％]|100\s*[%％])[^，。；,;.]{0,8}(?:需求|采购量|用量)[^，。；,;.]{0,12}(?:向|从|由|在)(?:本|我|甲方|乙方)",
        r"\bloyalty\b",
        r"\brebates?\b",
        r"\b(?:all|\d{2,3} ?%) of (?:its|their|your|the buyer's) (?:needs|requirements|demand)\b",
        r"\bpenalt(?:y|ies) for (?:switching|leaving)\b",
    ),
    "private_discount": (
        r"(?:指定|特定|个别|专属|内部|老|关联)(?:的)?(?:客户|用户|企业|单位|公司)[^，。；,;.]{0,12}(?:优惠|折扣|价|减免|免费)",
        r"(?:私下|另行协商|一事一议|面议|单独议定|个别协商)[^，。；,;.]{0,6}(?:优惠|折扣|价格?|减免)?",
        r"(?:仅限|专供|仅供|仅面向)[^，。；,;.]{2,24}(?:公司|银行|集团|有限责任|股份)",
        r"[0-9A-HJ-NP-RTUWXY]{18}",
        r"\b(?:private|secret|individually negotiated|negotiated|special) (?:discount|price|rate)s?\b",
        r"\b(?:named|selected|chosen) (?:customer|buyer|client)s? (?:only|pay|get)\b",
        r"\bprice (?:on request|to be agreed|negotiable)\b",
    ),
    "extra_fee": (
        r"(?:另收|另付|另缴|另行收取|额外收取|加收|还需支付|还须支付|另行支付|需另付)[^，。；,;.]{0,12}",
        r"(?:押金|保证金|接入费|入门费|开户费|开通费|服务费另计|手续费另|平台使用费另)",
        r"\b(?:additional|extra|separate|further|another|set-?up|entry|onboarding|connection) (?:fee|charge|payment)s?\b",
        r"\b(?:security )?deposit (?:is|of|must|required|has to)\b",
        r"\bfees? (?:is|are) charged separately\b",
    ),
}
COMPILED = {kind: [re.compile(pattern, re.IGNORECASE) for pattern in patterns] for kind, patterns in PATTERNS.items()}


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that may not stand in a plan: its kind and the words that were found."""

    kind: str
    words: str

    @property
    def what(self) -> str | Promise:
        return CLAUSE_WORDS[self.kind]

    @property
    def instead(self) -> str | Promise:
        return WHAT_TO_DO[self.kind]


def forbidden_clauses(*texts: str) -> list[Clause]:
    """The clauses in the texts that may not stand in a plan, each kind with each of its words once, in reading order.

    A match that a negation stands before is left out (“不要求独家”, “no deposit is required”).
    """
    found = [clause for text in texts for clause in _in_text(text)]
    return list(dict.fromkeys(found))


def _in_text(text: str) -> Iterable[Clause]:
    plain = " ".join(text.split())
    matches = [
        (match.start(), Clause(kind, match.group().strip()))
        for kind, patterns in COMPILED.items()
        for pattern in patterns
        for match in pattern.finditer(plain)
        if not NEGATION.search(plain[max(0, match.start() - 24) : match.start()])
    ]
    return [clause for _start, clause in sorted(matches, key=lambda each: (each[0], each[1].kind, -len(each[1].words)))]
