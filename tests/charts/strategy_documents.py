"""Documents to draw: a coffee roaster's canvas and value chain, filled, empty, long, in other scripts, and with markup."""

from __future__ import annotations

from wayfare.domain.canvas import Canvas
from wayfare.domain.value_chain import ValueChain

EVIL = "</text><script>alert(1)</script>&\"'"
ARABIC = "قهوة طازجة تصل إلى الباب خلال يومين، 250 غرام في كل كيس من coffee."
HEBREW = "קפה טרי עד הבית"
EMOJI = "Fresh ☕ for the 👩‍👩‍👧 at home 🇳🇱, 日本語の長いテキストは空白なしで続きますので折り返しが必要です"
LONG_WORD = "https://example.com/" + "a-very-long-path/" * 9


def item(id: str, text: str, **said) -> dict:
    return {"id": id, "text": text, **said}


def roaster() -> Canvas:
    """About thirty items with long texts."""
    return Canvas.model_validate(
        {
            "document": "canvas",
            "name": "Harbour Coffee",
            "about": "A roaster of speciality coffee that sells beans by subscription to homes and by the kilo to cafés, from one roastery and two shops.",
            "customer_segments": [
                item("homes", "Home brewers who drink two cups a day and care where the beans come from", colour="blue", importance=5),
                item("cafes", "Independent cafés within 60 km that need the same roast every week", colour="orange", importance=4),
                item("offices", "Offices of 10 to 80 people that want good coffee without a contract for machines", colour="purple"),
                item("gifts", "People who look for a gift in November and December", colour="sky", importance=2),
            ],
            "value_propositions": [
                item("fresh", "Roasted on Monday, on the kitchen table by Wednesday: never older than four days", segment="homes", colour="blue",
                     importance=5, hypothesis="Of those who get a delivery in two days, at least 30% order again in 90 days"),
                item("farmer", "Every bag names the farmer, the height and what was paid for the beans", segment="homes", colour="blue",
                     importance=3, hypothesis="Customers who read the page of a farmer order again more often"),
                item("same", "The same profile all year round, with a barista who comes by twice a year to set the grinder", segment="cafes",
                     colour="orange", importance=4, hypothesis="No more than 8% of cafés leave in a year"),
                item("pause", "Pause, skip or change the subscription in one message", segment="homes", colour="blue", importance=4,
                     hypothesis="Satisfaction of subscribers is at least 8"),
                item("tin", "A tin worth keeping, refilled by post", segment="gifts", colour="sky", importance=1,
                     hypothesis="One gift in ten brings a subscriber"),
            ],
            "channels": [
                item("web", "The web shop, from which nine in ten subscriptions start", kind="online", importance=5),
                item("stores", "Two shops at the harbour with a tasting bar", kind="stores", importance=3, segment="homes"),
                item("visits", "Visits to cafés with samples", kind="direct", segment="cafes", importance=4),
                item("insta", "Short films from the roastery", kind="social", importance=2,
                     hypothesis="Of those who come from a film, at least 3% order"),
            ],
            "customer_relationships": [
                item("sub", "A subscription that reminds three days before each bag and asks how the last one was", segment="homes", importance=5,
                     hypothesis="Half of the subscribers stay for a year"),
                item("barista", "The same contact person for each café", segment="cafes", importance=3),
                item("friend", "A free bag for whoever brings a friend", importance=2, hypothesis="Each customer brings 0.2 others in a year"),
            ],
            "revenue_streams": [
                item("beans", "Single bags of beans", kind="sales", importance=3),
                item("subs", "Subscriptions, paid every four weeks", kind="subscriptions", importance=5,
                     hypothesis="A subscriber is worth at least EUR 180 in the first year"),
                item("wholesale", "Beans by the kilo for cafés and offices, invoiced monthly", kind="sales", importance=4),
                item("courses", "Courses: latte art, brewing at home", kind="fees", importance=1),
            ],
            "key_resources": [
                item("roaster", "A drum roaster of 25 kg and the man who knows it", kind="physical", importance=5),
                item("profiles", "Roast profiles of eleven years", kind="intellectual", importance=4),
                item("people", "Seven people, three of them baristas", kind="human", importance=3),
            ],
            "key_activities": [
                item("buying", "Buy green beans once a year, from farmers we visit", importance=4),
                item("roasting", "Roast every Monday and Thursday; cup each batch", importance=5),
                item("packing", "Pack and hand over on the day of roasting", importance=4,
                     hypothesis="At least 95% of parcels leave on the day of roasting"),
            ],
            "key_partnerships": [
                item("coop", "Two cooperatives in Huila and Sidama, paid half in advance", kind="strategic_alliance", importance=5),
                item("post", "The parcel service, which picks up at four", kind="buyer_supplier", importance=4,
                     hypothesis="Parcels arrive within two days"),
                item("rival", "Another roaster with whom containers are shared", kind="coopetition", importance=2),
            ],
            "cost_structure": [
                item("green", "Green beans", kind="variable", amount=4.10, per="order", importance=5),
                item("wages", "Wages", kind="fixed", amount=21500, per="month", importance=5),
                item("rent", "Rent of roastery and shops", kind="fixed", amount=4800, per="month", importance=3),
                item("parcels", "Parcels and boxes", kind="variable", amount=5.35, per="order", importance=4),
            ],
        }
    )  # fmt: skip


EVIDENCE = {
    "fresh": ("holds", "34% order again in 90 days (31% to 37%), n = 1,240; at least 30%"),
    "farmer": ("too_few", "n = 18"),
    "pause": ("fails", "7.1 (6.9 to 7.3), n = 612; at least 8"),
    "insta": ("fails", "1.2% (0.9% to 1.6%), n = 4,410; at least 3%"),
    "sub": ("holds", "58% (54% to 62%), n = 890; at least 50%"),
    "subs": ("holds", "EUR 204 (191 to 218), n = 890; at least 180"),
    "friend": ("too_few", "n = 41"),
    "post": ("fails", "71% within two days (69% to 73%), n = 3,120"),
}


def crowd(many: int = 200) -> Canvas:
    """Many notes, most of them in one block."""
    blocks = ("value_propositions",) * 3 + ("customer_segments", "key_activities", "customer_relationships")
    found: dict[str, list] = {}
    for number in range(many):
        block = blocks[number % len(blocks)]
        text = f"Note {number}: " + "what it says in some more words " * (number % 4)
        found.setdefault(block, []).append(item(f"n{number}", text.strip(), importance=number % 5 + 1))
    return Canvas.model_validate({"document": "canvas", "name": "Crowd", **found})


def strange() -> Canvas:
    """Scripts from right to left, emoji, words without an end, markup."""
    return Canvas.model_validate(
        {
            "document": "canvas",
            "name": "قهوة",
            "about": EVIL,
            "customer_segments": [item("ar", ARABIC, colour="black", importance=3), item("he", HEBREW, colour="yellow")],
            "value_propositions": [
                item("emoji", EMOJI, colour="green", segment="ar"),
                item("evil", EVIL, hypothesis=EVIL, colour="vermilion", segment="he"),
                item("cyrillic", "Свежеобжаренный кофе ЩИРОКОЙ доставкой; жжёный, шумящий, мощный " * 2, colour="grey"),
            ],
            "channels": [item("long", LONG_WORD, colour="sky"), item("lines", "One\n\nTwo\tthree\nfour", colour="purple")],
            "key_resources": [item("combining", "Z" + "\u0301\u0302" * 20 + "algo", kind="human", colour="orange")],
        }
    )  # fmt: skip


def activity(id: str, text: str, owner: str = "", parts: tuple = (), **said) -> dict:
    return {"id": id, "text": text, "owner": owner, "parts": list(parts), **said}


def chain() -> ValueChain:
    """About twenty activities, some in others."""
    delivered = {"measure": "lead_time", "start": "purchase", "end": "delivered", "at_most": 48}
    return ValueChain.model_validate(
        {
            "document": "value_chain",
            "name": "Harbour Coffee chain",
            "about": "From the farm to the second bag.",
            "primary": {
                "inbound_logistics": [
                    activity("receive", "Receive and store green beans", "Jonas", cost={"kind": "amounts", "amounts": [
                        {"from": "2024-01-01", "to": "2024-12-31", "amount": 18400}]}, linkages=[{"to": "roast"}]),
                    activity("sample", "Cup a sample of every sack before it is stored", "Mira"),
                ],
                "operations": [
                    activity("roast", "Roast on Mondays and Thursdays", "Mira", linkages=[{"to": "pack", "text": "the same day"}], parts=(
                        activity("profile", "Set the profile for each bean and season", "Mira", parts=(
                            activity("log-batch", "Log the temperature of each batch"),)),
                        activity("cup", "Cup every batch", "Ole", performance={"measure": "defect", "start": "batch", "end": "batch_discarded", "at_most": 0.02}),
                    ), cost={"kind": "time_driven", "capacity_minutes": 9600, "rate": 0.62}),
                    activity("grind", "Grind to order"),
                ],
                "outbound_logistics": [
                    activity("pack", "Pack on the day of roasting", "Lena", linkages=[{"to": "deliver"}],
                             cost={"kind": "time_driven", "capacity_minutes": 7200, "capacity_cost": 4320}),
                    activity("deliver", "Deliver parcels", "Parcel service", performance=delivered, serves=[{"event": "delivered"}]),
                    activity("round", "The weekly round to cafés", "Ole"),
                ],
                "marketing_and_sales": [
                    activity("shop", "Run the web shop", "Sanne", serves=[{"event": "product_view"}, {"event": "purchase"}]),
                    activity("films", "Make short films in the roastery", "Sanne"),
                    activity("cafe-visits", "Visit cafés with samples", "Ole", linkages=[{"to": "round"}]),
                ],
                "service": [
                    activity("answer", "Answer questions about brewing, deliveries and pauses", "Lena",
                             performance={"measure": "first_response", "start": "question", "end": "answer", "at_most": 4}),
                    activity("returns", "Replace bags that arrive broken or late", "Lena", linkages=[{"to": "sample", "text": "what was wrong"}]),
                ],
            },
            "support": {
                "procurement": [activity("buy", "Buy green beans from two cooperatives", "Jonas", linkages=[{"to": "receive", "kind": "supports"}]),
                                activity("boxes", "Buy bags and boxes")],
                "technology": [activity("software", "Keep the subscription software running and the stock right", "Sanne",
                                        linkages=[{"to": "shop", "kind": "supports"}])],
                "people": [activity("train", "Train baristas", "Ole"), activity("hire", "Hire and plan shifts", "Jonas")],
                "infrastructure": [activity("books", "Keep the books and pay the farmers in time", "Jonas")],
            },
        }
    )  # fmt: skip


COSTS = {
    "receive": ("EUR 18,400", "6% of all"),
    "roast": ("EUR 71,400", "23% of all; 12% of the time unused"),
    "pack": ("EUR 51,800", "17% of all; 31% of the time unused"),
    "deliver": ("EUR 88,100", "28% of all"),
}
CHAIN_EVIDENCE = {
    "deliver": ("fails", "62 hours (60 to 64), n = 3,120"),
    "cup": ("holds", "1.1%, n = 410"),
    "answer": ("too_few", "n = 9"),
}


def strange_chain() -> ValueChain:
    """Nested as deep as may be, in other scripts, with markup."""
    deep: dict = activity("deep8", "The innermost activity, which has a longer text than most", "Somebody")
    for level in range(7, 0, -1):
        deep = activity(f"deep{level}", f"Level {level}", parts=(deep,))
    return ValueChain.model_validate(
        {
            "document": "value_chain",
            "name": "Strange",
            "primary": {
                "operations": [deep, activity("evil", EVIL, EVIL)],
                "service": [activity("ar", ARABIC, HEBREW), activity("long", LONG_WORD, EMOJI)],
            },
        }
    )
