"""What is known of each customer beside the orders: covariates of the rate and of the drop-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wayfare.errors import BadInput
from wayfare.stats.btyd.summary import Floats, column, column_names


def read_covariates(values: Any, customers: int, where: str) -> tuple[tuple[str, ...], Floats]:
    """Names and a matrix, one row a customer; the columns of a plain matrix are named 1, 2, ….

    Raises:
        BadInput: there is not one row of finite numbers for each customer.
    """
    if isinstance(values, np.ndarray | list):
        matrix = np.asarray(values, dtype=float)
        matrix = matrix[:, None] if matrix.ndim == 1 else matrix
        names = tuple(str(place + 1) for place in range(matrix.shape[1]))
    else:
        names = tuple(column_names(values))
        matrix = np.column_stack([column(values, name) for name in names])
    if matrix.shape[0] != customers or not np.isfinite(matrix).all():
        raise BadInput(
            f"The covariates must hold one row of finite numbers for each of {customers} customers.",
            where=where,
        )
    return names, matrix
