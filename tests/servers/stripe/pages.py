"""The hosted page: plain HTML in Chinese or English, no script, and plain words that no money moves."""

from html import escape

from tests.servers.stripe.store import Thing

WORDS = {
    "zh": {
        "banner": "演示支付服务器：不会发生真实付款",
        "title": "付款",
        "to": "收款方：公数（演示）",
        "method": "付款方式",
        "card": "银行卡（演示卡 4242）",
        "alipay": "支付宝",
        "wechat_pay": "微信支付",
        "pay": "支付",
        "more": "演示其他结果",
        "later": "稍后到账（异步）",
        "decline": "模拟支付被拒",
        "cancel": "取消并返回商户",
        "declined": "付款被拒绝，没有扣款。请换一种方式重试，或取消返回。",
        "complete": "这笔付款已经提交，不需要再次支付。",
        "expired": "这个付款页面已失效，没有扣款。请回到商户重新发起。",
        "back": "返回商户",
        "email": "付款人",
        "missing": "没有这个付款页面。",
    },
    "en": {
        "banner": "Demo payment server: no real money moves",
        "title": "Payment",
        "to": "To: Gongshu (demo)",
        "method": "Payment method",
        "card": "Bank card (demo card 4242)",
        "alipay": "Alipay",
        "wechat_pay": "WeChat Pay",
        "pay": "Pay",
        "more": "Show another outcome",
        "later": "Pay later, asynchronously",
        "decline": "Let the payment be declined",
        "cancel": "Cancel and return to the merchant",
        "declined": "The payment was declined and nothing was charged. Try another method, or cancel and return.",
        "complete": "This payment has been submitted. There is no need to pay again.",
        "expired": "This payment page has expired and nothing was charged. Please start again at the merchant.",
        "back": "Return to the merchant",
        "email": "Payer",
        "missing": "There is no such payment page.",
    },
}

STYLE = """
:root{color-scheme:light;font-family:system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;line-height:1.5}
body{margin:0;background:#f3f5f9;color:#1a2233}
.banner{background:#8a3b00;color:#fff;text-align:center;padding:.6rem 1rem;font-weight:600}
main{max-width:26rem;margin:2rem auto;background:#fff;border:1px solid #d5dbe6;border-radius:12px;padding:1.5rem}
h1{font-size:1rem;margin:0;font-weight:600;color:#4a5468}
.amount{font-size:2.25rem;font-weight:700;margin:.25rem 0 0;font-variant-numeric:tabular-nums}
.what,.who{margin:.25rem 0;color:#4a5468;overflow-wrap:anywhere}
fieldset{border:1px solid #d5dbe6;border-radius:8px;margin:1.25rem 0;padding:.5rem 1rem}
legend{font-weight:600;padding:0 .25rem}
label{display:flex;gap:.6rem;align-items:center;padding:.5rem 0}
button{font:inherit;width:100%;padding:.75rem;border-radius:8px;border:1px solid #8a94a8;background:#fff;color:#1a2233;cursor:pointer;margin:.3rem 0}
button.main{background:#1f4fd8;border-color:#1f4fd8;color:#fff;font-weight:600}
button:focus-visible,input:focus-visible,a:focus-visible{outline:3px solid #f2a900;outline-offset:2px}
.more{border-top:1px solid #d5dbe6;margin-top:1rem;padding-top:.75rem}
.more h2{font-size:.9rem;margin:0 0 .25rem;color:#4a5468}
.error{background:#fdecea;border:1px solid #b3261e;color:#7a1710;border-radius:8px;padding:.75rem 1rem}
@media(max-width:30rem){main{margin:0;border:0;border-radius:0}}
"""


def language(locale: str | None, accept: str) -> str:
    """The session's locale decides; `auto` or none follows the browser; Chinese else."""
    if locale in (None, "auto"):
        first = accept.split(",")[0].strip().lower()
        return "en" if first.startswith("en") else "zh"
    return "zh" if str(locale).startswith("zh") else "en"


def yuan(minor: int) -> str:
    return f"¥{minor // 100:,}.{minor % 100:02d}"


def pay_page(session: Thing, lang: str, *, is_declined: bool = False) -> str:
    words = WORDS[lang]
    if session["status"] != "open":
        return _closed_page(session, lang)
    chosen = session["payment_method_types"]
    methods = "".join(
        f'<label><input type="radio" name="method" value="{kind}"{" checked" if kind == chosen[0] else ""}> {words[kind]}</label>'
        for kind in chosen
    )
    error = f'<p class="error" role="alert">{words["declined"]}</p>' if is_declined else ""
    amount = yuan(session["amount_total"])
    return _frame(
        lang,
        f"""{_summary(session, words)}{error}
<form method="post">
<fieldset><legend>{words["method"]}</legend>{methods}</fieldset>
<button class="main" name="action" value="pay">{words["pay"]} {amount}</button>
<div class="more"><h2>{words["more"]}</h2>
<button name="action" value="later">{words["later"]}</button>
<button name="action" value="decline">{words["decline"]}</button>
<button name="action" value="cancel">{words["cancel"]}</button></div>
</form>""",
    )


def _closed_page(session: Thing, lang: str) -> str:
    words = WORDS[lang]
    is_complete = session["status"] == "complete"
    back = success_url(session) if is_complete else session["cancel_url"]
    link = f'<p><a href="{escape(back)}">{words["back"]}</a></p>' if back else ""
    return _frame(lang, f"{_summary(session, words)}<p>{words[session['status']]}</p>{link}")


def missing_page(lang: str) -> str:
    return _frame(lang, f"<p>{WORDS[lang]['missing']}</p>")


def success_url(session: Thing) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _summary(session: Thing, words: dict[str, str]) -> str:
    email = session["customer_email"]
    who = f'<p class="who">{words["email"]} {escape(email)}</p>' if email else ""
    return (
        f'<h1>{words["to"]}</h1><p class="amount">{yuan(session["amount_total"])}</p>'
        f'<p class="what">{escape(session["_description"])}</p>{who}'
    )


def _frame(lang: str, inner: str) -> str:
    words = WORDS[lang]
    return f"""<!doctype html>
<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>{words["title"]} · {words["banner"]}</title><style>{STYLE}</style></head>
<body><div class="banner" role="note">{words["banner"]}</div><main>{inner}</main></body></html>
"""
