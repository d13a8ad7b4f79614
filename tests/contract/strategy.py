"""Strategy documents of the company whose events the contract tests make."""

from __future__ import annotations

from collections.abc import Sequence

from wayfare.domain.canvas import Canvas
from wayfare.domain.document import Document
from wayfare.domain.journey import Persona, StageNotes
from wayfare.domain.proposal import propose
from wayfare.domain.value_chain import ValueChain

CANVAS = {
    "name": "canvas",
    "customer_segments": [
        {"id": "web", "text": "Who come by the web", "bindings": {"segment": ["first:channel=web"]}},
        {"id": "writers", "text": "Who review", "bindings": {"segment": ["did:review_written"]}},
    ],
    "value_propositions": [
        {
            "id": "fresh", "text": "Fresh beans", "importance": 5, "hypothesis": "They come back.",
            "bindings": {
                "metric": {"measure": "repurchase_rate", "within": "60d", "at_least": "1%"},
                "touchpoints": [{"event": "purchase", "weight": 2}, {"event": "product_view"}],
            },
        },
        {
            "id": "praised", "text": "Worth telling", "hypothesis": "They recommend it.",
            "bindings": {"metric": {"measure": "net_promoter_score", "at_least": 90}},
        },
    ],
    "channels": [
        {"id": "shop", "text": "Shop", "kind": "online", "bindings": {"touchpoints": [{"event": "cart"}]}},
        {"id": "ads", "text": "Ads", "kind": "social", "bindings": {
            "touchpoints": [{"event": "ad_click"}],
            "metric": {"measure": "conversion_rate", "segment": "web", "at_least": "95%"}}},
    ],
    "customer_relationships": [
        {"id": "reviews", "text": "Reviews", "bindings": {"touchpoints": [{"event": "review_written"}],
                                                          "cost_line": "carrier"}},
    ],
    "revenue_streams": [
        {"id": "sales", "text": "Beans", "kind": "sales", "bindings": {"touchpoints": [{"event": "purchase"}]}},
    ],
    "cost_structure": [
        {"id": "carrier", "text": "Carrier", "kind": "variable", "amount": 4, "per": "order"},
        {"id": "rent", "text": "Rent", "kind": "fixed", "amount": 900},
    ],
    "trends": [{"text": "Beans get dearer", "source": "A paper", "date": "2024-05-01"}],
    "reviews": [
        {"date": "2024-03-01", "who": "Ann", "next": "2024-04-01", "decisions": ["Ask more"],
         "verdicts": [{"item": "fresh", "verdict": "fails", "value": 0, "n": 40}]},
    ],
}  # fmt: skip

CHAIN = {
    "name": "value-chain",
    "primary": {
        "operations": [
            {"id": "roast", "text": "Roast", "linkages": [{"to": "deliver"}], "cost": {
                "kind": "amounts", "amounts": [{"from": "2024-01-01", "to": "2024-12-31", "amount": 12_000}]}},
        ],
        "outbound_logistics": [
            {
                "id": "deliver", "text": "Deliver", "owner": "Bo",
                "cost": {"kind": "time_driven", "capacity_minutes": 2_400, "capacity_cost": 4_800},
                "serves": [{"event": "delivery", "time": {
                    "base": 5, "terms": [{"minutes": 2, "when": "device=mobile"}]}}],
                "performance": {"measure": "lead_time", "start": "purchase", "end": "delivery", "within": "30d",
                                "at_most": 72},
                "turns": [{"since": "2024-06-01", "text": "Another carrier", "segment": ["first:device=mobile"]}],
            },
        ],
        "service": [
            {"id": "answer", "text": "Answer", "cost": {
                "kind": "time_driven", "capacity_minutes": 900, "rate": 0.5, "minutes": 3},
             "serves": [{"event": "survey_answer"}]},
        ],
    },
    "support": {"technology": [{"id": "site", "text": "Site", "linkages": [{"to": "deliver", "kind": "supports"}],
                                "serves": [{"event": "cart"}, {"event": "checkout"}]}]},
}  # fmt: skip


def documents(events: Sequence[str]) -> dict[str, Document]:
    """A journey map of these events, a canvas, a value chain, and a what-if of the map."""
    journey = propose(events).model_copy(
        update={
            "personas": (Persona(id="ann", text="Ann, on the web", segment=("first:channel=web",)),),
            "stages": (StageNotes(stage="purchase", goal="Pay and be done"),),  # type: ignore[arg-type]
        }
    )
    faster = journey.model_copy(update={"touchpoints": journey.touchpoints[1:]})
    canvas, chain = Canvas.model_validate(CANVAS), ValueChain.model_validate(CHAIN)
    return {journey.name: journey, "journey@faster": faster, canvas.name: canvas, chain.name: chain}
