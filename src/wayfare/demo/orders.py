"""What the simulation knows of an order."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.demo.rows import DEVICE, Array

REPURCHASE_DAYS = 90


@dataclass(frozen=True)
class Orders:
    """Intended orders: parallel arrays; `lost` ones died at the payment step.

    `number` counts the customer's earlier orders, `recipe` says whether the recipe was read after it (at
    `read`), `natural` whether the customer would have ordered again within 90 days without any recipe,
    `again` whether with what was read. `delivery_days` is not a number in stores.
    """

    customer: Array
    time: Array
    number: Array
    channel: Array
    device: Array
    lost: Array
    recipe: Array
    read: Array
    delivery_days: Array
    natural: Array
    again: Array

    @property
    def web(self) -> Array:
        """Which orders go through the web shop's checkout."""
        web: Array = self.device != DEVICE["store"]
        return web
