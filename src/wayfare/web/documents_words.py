"""The words around documents: what belongs in each of their lists, and what their fields mean."""

from __future__ import annotations

KIND_TITLES = {"canvas": "Business Model Canvas", "value_chain": "Value chain", "journey_map": "Journey map"}
KIND_ABOUT = {
    "canvas": "Nine blocks of notes: whom you serve, with what, through whom and for how much. Each can be bound to the log and held to a number.",
    "value_chain": "What the company does, what that costs, and which touchpoints it serves.",
    "journey_map": "Stages and touchpoints, who travels, what they expect and where it hurts.",
}
BLOCK_HINTS = {
    "customer_segments": "For whom do we do this?",
    "value_propositions": "What do they get that they want?",
    "channels": "How do we reach them?",
    "customer_relationships": "How do we keep them?",
    "revenue_streams": "What do they pay for?",
    "key_resources": "What do we need to have?",
    "key_activities": "What do we need to do?",
    "key_partnerships": "Whom do we need?",
    "cost_structure": "What does it cost?",
}
CATEGORY_HINTS = {
    "inbound_logistics": "Goods in: receiving, storing.",
    "operations": "Making what is sold.",
    "outbound_logistics": "Goods out: packing, delivering.",
    "marketing_and_sales": "Being found and chosen.",
    "service": "Helping after the sale.",
    "procurement": "Buying what all of it needs.",
    "technology": "Building and running systems.",
    "people": "Hiring and training.",
    "infrastructure": "Leading, finance, legal, premises.",
}
STAGE_HINTS = {
    "personas": "Who travels?",
    "awareness": "They hear of us.",
    "consideration": "They look and compare.",
    "purchase": "They order.",
    "post_purchase": "They get it and use it.",
    "repurchase": "They come back.",
    "advocacy": "They tell others.",
    "none": "Events that no customer would notice.",
}
KINDS_OF = {
    "revenue_streams": (("sales", "Sales"), ("fees", "Fees"), ("subscriptions", "Subscriptions"), ("licensing", "Licensing"),
                        ("advertising", "Advertising")),
    "key_resources": (("physical", "Physical"), ("intellectual", "Intellectual"), ("human", "Human"), ("financial", "Financial")),
    "key_partnerships": (("strategic_alliance", "Strategic alliance"), ("coopetition", "Coopetition"),
                         ("joint_venture", "Joint venture"), ("buyer_supplier", "Buyer and supplier")),
    "cost_structure": (("fixed", "Fixed"), ("variable", "Variable")),
}  # fmt: skip
FIELD_LABELS = {
    "text": "What it says",
    "segment": "For which customer segment",
    "hypothesis": "What is believed, and could turn out wrong",
    "bindings": "Bound to the log",
    "bindings.touchpoints": "Touchpoints where customers meet it",
    "bindings.segment": "Conditions on a customer's history",
    "bindings.metric": "The number that decides",
    "bindings.metric.segment": "Customers of the segment",
    "at_least": "Holds from",
    "at_most": "Holds up to",
    "after_purchase": "Stage after the first order",
    "frontstage": "What we do that customers see",
    "backstage": "What we do behind it",
    "expectation": "What customers expect",
    "pain_points": "What hurts",
    "opportunities": "What could be better",
    "linkages.to": "Activity",
    "linkages.text": "How",
    "from": "From",
    "serves": "Touchpoints that it serves",
    "turns": "When it was changed",
    "planned": "The path that is meant for them",
    "linkages": "Activities that it bears on",
    "feedback": "What stakeholders said",
    "trends": "What happens outside",
    "about": "What it is about",
    "orders": "Events that are orders",
    "main_route": "The path that is meant: events up to the first order",
    "goal": "What customers want to get done",
    "capacity_minutes": "Minutes that can be worked",
    "capacity_cost": "Cost of that capacity",
    "rate": "Or cost of a minute",
}
FIELD_HELPS = {
    "bindings.segment": "Such as `first:channel=web` or `count:purchase>=2`; all have to hold.",
    "within": "Such as `90d`.",
    "at_least": "A share such as `25%`, or an amount.",
    "importance": "1 is little; on 5 hangs everything.",
    "segment": "",
}
