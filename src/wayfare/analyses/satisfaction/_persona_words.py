"""What a persona's traits are called, what kind of thing each is, and the name that they make."""

from __future__ import annotations

from collections.abc import Sequence

from wayfare.analyses.satisfaction._facets import Facet
from wayfare.analyses.satisfaction._habits import DAY, DEPTH, HOUR, TOUCHPOINT, VISITS
from wayfare.domain.duration import in_words

EVERYBODY = "All customers"
CLEAR_LIFT = 1.25
COMMON = 1 / 3
"""The share of what they do from which a trait may name them."""

_KINDS = (
    ("need", ("support", "help", "faq", "ticket", "complain", "chat", "hotline", "return", "track")),
    ("motivation", ("coupon", "discount", "sale", "offer", "promo", "deal", "voucher", "loyalty", "reward", "points", "badge")),
    ("need", ("review_read", "reviews", "compar", "rating", "size_guide", "how_to", "manual")),
)  # fmt: skip
"""Touchpoints whose names speak of a need or a motivation; the first that fits holds."""
_ASKED = (
    ("motivation", ("why", "reason", "motiv", "goal", "purpose")),
    ("need", ("need", "problem", "missing", "help", "want", "wish", "important", "expect")),
)
_NOUNS = (
    ("store visitors", ("store", "walk_in", "branch", "showroom")),
    ("help seekers", ("support", "help", "ticket", "complain", "chat", "hotline")),
    ("bargain hunters", ("coupon", "discount", "sale", "offer", "promo", "deal", "voucher")),
    ("newsletter readers", ("newsletter", "email", "mail", "push")),
    ("comparers", ("review", "compar", "rating")),
    ("readers", ("recipe", "blog", "article", "guide", "video", "content", "read")),
    ("subscribers", ("refill", "subscription", "reorder", "signup", "sign_up")),
    ("shoppers", ("cart", "basket", "checkout", "payment", "wish")),
    ("searchers", ("search",)),
    ("browsers", ("view", "product", "browse", "page", "catalog", "item")),
    ("ad followers", ("ad_", "advert", "campaign", "social", "impression")),
)
_FIRST = (HOUR, DAY, VISITS, DEPTH, "device", "channel", "platform")
_ADJECTIVES = {
    HOUR: ("night", "morning", "afternoon", "evening"),
    DAY: ("weekday", "weekend"),
    VISITS: ("one-time", "", "regular", "frequent"),
    DEPTH: ("brief", "", "", "thorough"),
}


def kind_of(facet: Facet, label: str) -> str:
    """What kind of trait it is: behaviour, preference, need, motivation or attribute."""
    if facet.source == "answer":
        return _first(_ASKED, facet.name, "preference")
    if facet.name == TOUCHPOINT:
        return _first(_KINDS, label, "behaviour")
    if facet.source == "once":
        return "attribute"
    return "behaviour" if facet.name in (HOUR, DAY, DEPTH, VISITS) else "preference"


def trait_of(facet: Facet, label: str, window: int) -> str:
    """The trait in words."""
    said = {
        TOUCHPOINT: label,
        HOUR: f"visits {label}",
        DAY: f"visits {label}",
        DEPTH: f"{label} {'event' if label == '1' else 'events'} a visit",
        VISITS: f"{label} {'visit' if label == '1' else 'visits'} in {in_words(window / 1e6)}",
    }
    return said.get(facet.name, f"{facet.name}: {label}")


def evidence(facet: Facet, share: float, others: float, people: int) -> str:
    """The figures behind a trait, in words."""
    if facet.source == "once" or facet.name == VISITS:
        return f"{share:.0%} of them, {others:.0%} of the others ({people:,} customers)"
    kinds = {"answer": "answers", "touchpoint": "steps on a visit"}
    what = kinds.get(facet.source, "visits")
    return f"{share:.0%} of their {what}, {others:.0%} of the others' ({people:,} customers)"


def named(traits: Sequence[Sequence[tuple[Facet, str, float]]]) -> list[str]:
    """A name for each persona from its traits with their shares (the strongest first); no two are alike."""
    names: list[str] = []
    for mine in traits:
        noun = next((_noun(label) for facet, label, _ in mine if facet.name == TOUCHPOINT), "visitors")
        telling = [t for t in mine if t[2] >= COMMON and (t[0].name in _FIRST or t[0].source == "once")]
        most = _adjectives(telling, noun)
        words = list(dict.fromkeys([*most, *_adjectives(mine, noun)]))
        least = min(max(1, min(2, len(most))), len(words))
        tries = [_phrase(words[:taken], noun) for taken in range(least, len(words) + 1)]
        tries += [f"{tries[0]} {number}" for number in range(2, len(traits) + 2)]
        names.append(next(name for name in tries if name not in names))
    return names


def _adjectives(traits: Sequence[tuple[Facet, str, float]], noun: str) -> list[str]:
    """One word a facet, how and when before what else; none that says again what is said."""
    said, facets, words = set(noun.split()), set(), list[str]()
    for facet, label, _ in sorted(traits, key=lambda trait: trait[0].name not in _FIRST):
        word = _adjective(facet, label)
        parts = {part.lower() for part in word.split()}
        if word and facet.name not in facets and not any(a.startswith(b[:4]) for a in parts for b in said):
            words.append(word)
            facets.add(facet.name)
            said |= parts
    return words


def _first(table: Sequence[tuple[str, tuple[str, ...]]], text: str, otherwise: str) -> str:
    lower = text.lower().replace(" ", "_")
    return next((kind for kind, words in table if any(word in lower for word in words)), otherwise)


def _noun(label: str) -> str:
    return _first(_NOUNS, label, "visitors")


def _adjective(facet: Facet, label: str) -> str:
    if facet.name in _ADJECTIVES:
        # A facet's labels may have been thinned; its codes say which are left.
        return _ADJECTIVES[facet.name][facet.values[facet.labels.index(label)]]
    if facet.name == TOUCHPOINT or facet.source == "answer":
        return ""
    plain = "".join(c if c.isalnum() or c in "-&." else " " for c in label)
    word = " ".join(plain.split())
    return f"{facet.name} {word}" if facet.cuts else word[:30]


def _phrase(words: Sequence[str], noun: str) -> str:
    text = " ".join([*words, noun])
    return text[:1].upper() + text[1:]
