"""Rows that arrive one at a time: each becomes what a batch of it would become, without the batch."""

from wholeroad.road.data.arriving.rows import ArrivingRows
from wholeroad.road.data.arriving.taken import NewRow, SetAside, TakenRow, TakenRows

__all__ = ["ArrivingRows", "NewRow", "SetAside", "TakenRow", "TakenRows"]
