"""The server in figures, in the text format that Prometheus reads: requests as they are answered, and the state of the
work at the moment of asking.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from pipeline.store.models import Generation, MoneyEntry, Run
from server.wiring import Services

_BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """One per application."""

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "video_story_request_seconds",
            "How long requests took, streams without their content.",
            ("method", "route", "status"),
            buckets=_BOUNDS,
            registry=self._registry,
        )
        self._registry.register(_State(services))

    def install(self, app: Flask) -> None:
        """Times every request of the application."""
        app.before_request(self._begin)
        app.after_request(self._end)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    @staticmethod
    def _begin() -> None:
        g.began = time.perf_counter()

    def _end(self, response: Response) -> Response:
        # The rule, not the path: paths are without number, and a label for each would never be forgotten.
        route = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.url_rule is not None else "none"
        began = g.get("began")  # an address that fits no number of ours is refused before anything else
        if began is not None:
            self._seconds.labels(method, route, response.status_code).observe(time.perf_counter() - began)
        return response


class _State(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        parts = self._services
        lanes = GaugeMetricFamily("video_story_lane_jobs", "Units of work by lane.", labels=("lane", "state"))
        for lane, queue in parts.runner.lanes.items():
            lanes.add_metric((lane.value, "active"), len(queue.active()))
            lanes.add_metric((lane.value, "waiting"), len(queue.waiting()))
        yield lanes
        with parts.store.db.reading() as connection:
            runs = connection.execute(select(Run.state, func.count()).group_by(Run.state)).all()
            works = connection.execute(
                select(Generation.capability, Generation.status, func.count()).group_by(
                    Generation.capability, Generation.status
                )
            ).all()
            micros = connection.scalar(select(func.coalesce(func.sum(MoneyEntry.micros), 0))) or 0
        family = GaugeMetricFamily("video_story_runs", "Runs by state.", labels=("state",))
        for state, number in runs:
            family.add_metric((state,), number)
        yield family
        family = GaugeMetricFamily("video_story_generations", "Provider work.", labels=("capability", "status"))
        for capability, status, number in works:
            family.add_metric((capability, status), number)
        yield family
        yield GaugeMetricFamily("video_story_spend_dollars", "All that was spent and reserved.", value=micros / 1e6)
        yield from self._process()

    def _process(self) -> Iterator[Metric]:
        parts = self._services
        free = shutil.disk_usage(parts.settings.data_dir).free
        yield GaugeMetricFamily("video_story_disk_free_bytes", "Free space for the data folder.", value=free)
        yield GaugeMetricFamily("video_story_streams_open", "Open event streams.", value=parts.streams.taken)
        waiting = parts.store.db.blocked_s
        yield GaugeMetricFamily("video_story_database_wait_seconds", "How long a write has waited.", value=waiting)
        yield GaugeMetricFamily("video_story_events", "The newest event.", value=parts.store.events.newest())
