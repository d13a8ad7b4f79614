"""How each customer can be reached, and what speaks for or against it: answers, referrals, fresh trouble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.domain.journey import Stage
from wayfare.histories.answers import SATISFACTION_COLUMNS, satisfaction, satisfaction_kind
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.log import Log
from wayfare.study import Study

TROUBLE_DAYS = 30
_DAY = 86_400_000_000
_MESSAGE = ("mail", "letter", "sms", "text", "push", "app", "phone", "post", "chat")
_TROUBLE = ("refund", "return", "complaint", "cancel")


@dataclass(frozen=True)
class ContactFacts(Fold[dict[str, list[NDArray]]]):
    """One row a buyer.

    Attributes:
        stages: Which events are orders.
        reach: Codes of the channels that can carry a message, by name; empty where none can be told.
        advocates: Codes of events of those who recommend.
        trouble: Codes of events after which a customer is not to be bothered.
        since: From when on trouble counts, µs.
        rated: The kind of question whose scores say how satisfied a customer is.
    """

    stages: StageMap
    reach: tuple[int, ...]
    advocates: tuple[int, ...]
    trouble: tuple[int, ...]
    since: int
    rated: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, the channel and the score."""
        return (*ORDER_COLUMNS, "channel", *SATISFACTION_COLUMNS)

    def scan(self, block: Block) -> dict[str, list[NDArray]]:
        """The buyers of one block."""
        orders = orders_of(block, self.stages)
        count = np.bincount(orders.owner, minlength=block.customers)
        who = np.flatnonzero(count)
        score = self._score(block)
        trouble = block.any_of((block["time"] >= self.since) & block.happened(self.trouble))
        return {
            "code": [block.codes[who]],
            "orders": [count[who].astype(np.int32)],
            "channel": [self._channel(block)[who].astype(np.int32)],
            "score": [score[who].astype(np.float32)],
            "advocate": [block.any_of(block.happened(self.advocates))[who]],
            "trouble": [trouble[who]],
        }

    def _score(self, block: Block) -> NDArray[np.float64]:
        score = satisfaction(block, self.rated)
        last = block.last_row(~np.isnan(score))
        return np.where(last >= 0, score[np.maximum(last, 0)] if block.rows else np.nan, np.nan)

    def _channel(self, block: Block) -> NDArray[np.int64]:
        """The channel for messages that the customer was met in most, else that of the last order; -1 for none."""
        if not block.has("channel") or not block.rows:
            return np.full(block.customers, -1, dtype=np.int64)
        channel = block["channel"].astype(np.int64)
        last = block.last_row(self.stages.is_order(block) & (channel >= 0))
        ordered = np.where(last >= 0, channel[np.maximum(last, 0)], -1)
        if not self.reach:
            return ordered
        times = np.stack([block.count(channel == code) for code in self.reach], axis=1)
        return np.where(times.max(axis=1) > 0, np.array(self.reach)[times.argmax(axis=1)], -1)


def contact_facts(study: Study) -> ContactFacts:
    """The fold for a study: messages go by mail, phone, app and the like where the log has such channels."""
    names = study.log.names("channel").to_list() if "channel" in study.log.schema else []
    reach = sorted(
        (name, code) for code, name in enumerate(names) if any(word in name.lower() for word in _MESSAGE)
    )
    events = study.log.names("event").to_list()
    placed = {t.event: t.stage for t in study.journey.touchpoints}
    advocates = tuple(code for code, event in enumerate(events) if placed.get(event) == Stage.ADVOCACY)
    trouble = tuple(
        code for code, event in enumerate(events) if any(word in event.lower() for word in _TROUBLE)
    )
    return ContactFacts(
        study.stages,
        tuple(code for _, code in reach),
        advocates,
        trouble,
        study.log.ends - TROUBLE_DAYS * _DAY,
        satisfaction_kind(study.log.source),
    )


def facts_of(log: Log, fold: ContactFacts, found: dict[str, list[NDArray]]) -> dict[str, Any]:
    """The fold's answer with names; who was never met in a channel for messages gets the one that most were met in."""
    columns: dict[str, Any] = {name: np.concatenate(parts) for name, parts in found.items()}
    channel = columns["channel"].astype(np.int64)
    if fold.reach and len(channel):
        counts = [int((channel == code).sum()) for code in fold.reach]
        channel = np.where(channel >= 0, channel, fold.reach[int(np.argmax(counts))])
    names = log.names("customer").take(columns.pop("code"))
    coded = "channel" in log.schema
    columns["channel"] = log.names("channel").take(channel) if coded else None
    return {"customer": names, **columns}
