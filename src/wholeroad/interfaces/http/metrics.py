"""Counters of the service and of its requests, in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

from wholeroad.engine.service.messages import Measured

MEDIA: Final = b"text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
)
"""Upper bounds of the histogram's buckets, seconds."""

_Labels = Mapping[str, str]


class RequestMeter:
    """Counts requests by method, route and status, and their seconds by route.

    Routes are templates, never paths: an address may hold a key, and there is no end of them.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def note(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count one request."""
        key = (method, route, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        buckets = self._seconds.get(route)
        if buckets is None:
            buckets = self._seconds[route] = [0] * (len(BOUNDS_S) + 1)
            self._sums[route] = 0.0
        buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self._sums[route] += seconds

    def lines(self) -> Iterable[str]:
        """Write them."""
        name = "wholeroad_http_requests_total"
        yield from _head(name, "counter", "Requests that were answered; 499 where the client went away")
        for (method, route, status), count in sorted(self._counts.items()):
            yield _line(name, count, {"method": method, "route": route, "status": str(status)})
        name = "wholeroad_http_request_duration_seconds"
        yield from _head(name, "histogram", "Seconds from the head of a request to its answer")
        for route, buckets in sorted(self._seconds.items()):
            total = 0
            for bound, count in zip((*map(repr, BOUNDS_S), "+Inf"), buckets, strict=True):
                total += count
                yield _line(f"{name}_bucket", total, {"route": route, "le": bound})
            yield _line(f"{name}_sum", self._sums[route], {"route": route})
            yield _line(f"{name}_count", total, {"route": route})


def exposition(measured: Measured, requests: RequestMeter, *, in_flight: int) -> bytes:
    """Write everything that is measured, in the text format 0.0.4.

    Examples
    --------
    >>> nothing = Measured({}, {}, 0, 0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0)
    >>> exposition(nothing, RequestMeter(), in_flight=1).decode().splitlines()[-1]
    'wholeroad_http_requests_in_flight 1'
    """
    lines: list[str] = []
    lines += _by("wholeroad_rows_total", "Rows that came", ("source", "status"), measured.rows)
    lines += _by(
        "wholeroad_cases_total", "Cases that were answered", ("status", "decided_by"), measured.cases
    )
    for name, kind, text, value in _plain(measured):
        lines += [*_head(name, kind, text), _line(name, value, {})]
    lines += requests.lines()
    name = "wholeroad_http_requests_in_flight"
    lines += [*_head(name, "gauge", "Requests that are being answered, this one included")]
    lines.append(_line(name, in_flight, {}))
    return ("\n".join(lines) + "\n").encode()


def _plain(measured: Measured) -> Iterable[tuple[str, str, str, float]]:
    counters = (
        ("groups", "Groups of commands that were written together", measured.groups),
        ("group_commands", "Commands in them", measured.group_commands),
        ("flush_seconds", "Seconds spent waiting for the disk", measured.flush_s),
        ("deciding_seconds", "Seconds spent landing and deciding", measured.deciding_s),
        ("cycles", "Cycles that were done", measured.cycles),
        ("fits_failed", "Fits that broke off", measured.fits_failed),
        (
            "jobs_failed",
            "Cycles and moves into the tables that failed, and were tried again",
            measured.jobs_failed,
        ),
    )
    gauges = (
        ("commands_queued", "Commands that wait for the next group", measured.queued),
        ("cases_waiting", "Cases that aren't due yet", measured.waiting),
        ("cycles_behind", "Cycles whose time has come and that aren't done", measured.cycles_behind),
        ("keys_in_memory", "Keys of online features in memory", measured.keys_in_memory),
        ("keys_spilled", "Keys of online features on disk", measured.keys_spilled),
    )
    for name, text, value in counters:
        yield f"wholeroad_{name}_total", "counter", text, value
    for name, text, value in gauges:
        yield f"wholeroad_{name}", "gauge", text, value


def _by(
    name: str, text: str, labels: tuple[str, str], counts: Mapping[tuple[str, str], int]
) -> Iterable[str]:
    yield from _head(name, "counter", text)
    for key, count in sorted(counts.items()):
        yield _line(name, count, dict(zip(labels, key, strict=True)))


def _head(name: str, kind: str, text: str) -> Iterable[str]:
    yield f"# HELP {name} {text}."
    yield f"# TYPE {name} {kind}"


def _line(name: str, value: float, labels: _Labels) -> str:
    shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {value!r}" if shown else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
