"""What the server remembers: objects by kind and id, and answers by idempotency key. One lock; optionally one JSON file."""

import copy
import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from tests.servers.stripe.faults import invalid, missing

ALPHANUMERIC = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
Thing = dict[str, Any]

# kind → what its ids begin with
PREFIX = {
    "account": "acct_",
    "balance_transaction": "txn_",
    "charge": "ch_",
    "checkout.session": "cs_test_",
    "customer": "cus_",
    "event": "evt_",
    "item": "li_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "refund": "re_",
    "transfer": "tr_",
}


class Store:
    """Hold `lock` for the whole of a request, so that each request is one step; `save` at its end."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._things: dict[str, dict[str, Thing]] = {kind: {} for kind in PREFIX}
        self.answers: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._things.update(kept["things"])
            self.answers.update(kept["answers"])

    def save(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        text = json.dumps({"things": self._things, "answers": self.answers}, ensure_ascii=False)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._path)

    def now(self) -> int:
        return int(time.time())

    def new_id(self, kind: str) -> str:
        length = 58 if kind == "checkout.session" else 24
        return PREFIX[kind] + "".join(secrets.choice(ALPHANUMERIC) for _i in range(length))

    def add(self, thing: Thing) -> Thing:
        self._things[thing["object"]][thing["id"]] = thing
        return thing

    def get(self, kind: str, ref: str, param: str = "id") -> Thing:
        """The live object; change it in place. Raises Stripe's 404."""
        try:
            return self._things[kind][ref]
        except KeyError:
            raise missing(kind, ref, param) from None

    def all(self, kind: str) -> list[Thing]:
        """Newest first, as Stripe lists."""
        return list(reversed(self._things[kind].values()))

    def page(self, kind: str, params: dict[str, Any], url: str) -> Thing:
        """A Stripe list: filtered by equality, `limit` (1–100, default 10), `starting_after`, `ending_before`."""
        params = dict(params)
        limit = params.pop("limit", 10)
        after, before = params.pop("starting_after", None), params.pop("ending_before", None)
        params.pop("expand", None)
        if not 1 <= limit <= 100:
            raise invalid("This value must be between 1 and 100 (inclusive).", "limit", "parameter_invalid_integer")
        things = [t for t in self.all(kind) if all(t.get(key) == value for key, value in params.items())]
        ids = [thing["id"] for thing in things]
        if after is not None:
            self.get(kind, after, "starting_after")
            things = things[ids.index(after) + 1 :] if after in ids else []
        if before is not None:
            self.get(kind, before, "ending_before")
            things = things[: ids.index(before)] if before in ids else []
            chosen, more = things[-limit:], len(things) > limit
        else:
            chosen, more = things[:limit], len(things) > limit
        return {"object": "list", "url": url, "has_more": more, "data": chosen}

    def expanded(self, thing: Thing, paths: list[str]) -> Thing:
        """A copy in which the ids at the paths ("payment_intent.latest_charge", "data.customer") are replaced by their objects."""
        answer = copy.deepcopy(thing)
        for path in paths:
            self._expand(answer, path.split("."), path)
        return answer

    def _expand(self, thing: Any, path: list[str], whole: str) -> None:
        if not path or thing is None:
            return
        if isinstance(thing, list):
            for one in thing:
                self._expand(one, path, whole)
            return
        key = path[0]
        if not isinstance(thing, dict) or (key not in thing and key != "line_items"):
            raise invalid(f"This property cannot be expanded ({whole}).", "expand")
        if key == "line_items" and thing.get("object") == "checkout.session":
            thing[key] = self.page(
                "item", {"_session": thing["id"], "limit": 100}, f"/v1/checkout/sessions/{thing['id']}/line_items"
            )
        elif isinstance(thing[key], str):
            thing[key] = copy.deepcopy(self._find(thing[key]))
        self._expand(thing[key], path[1:], whole)

    def _find(self, ref: str) -> Thing:
        for kind, prefix in PREFIX.items():
            if ref.startswith(prefix):
                return self.get(kind, ref)
        raise invalid(f"This property cannot be expanded ({ref}).", "expand")
