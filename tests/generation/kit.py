"""A generator over a real store and the wire simulator, and requests for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import select

from pipeline.contracts import FilmForm, ImageRequest, Look, MediaRef, ReferenceBrief, VideoRequest
from pipeline.generation.chain import ProviderChain
from pipeline.generation.generate import Generated, Generator
from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store, open_store
from pipeline.store.models import Generation, Project
from tests.paid.kit import QUICK, settings_at
from tests.simulator import Simulator

FORM = FilmForm(width=320, height=180)


@dataclass
class Bench:
    """`env`: the simulator's addresses and keys, as this generator's settings know them."""

    simulator: Simulator
    store: Store
    chain: ProviderChain
    generator: Generator
    project_id: int

    def picture(self, words: str = "a red boat", **more: Any) -> ImageRequest:
        subject = Look(kind="prop", name=words)
        return ImageRequest(prompt=words, width=320, height=320, seed=7, brief=ReferenceBrief(subject=subject), **more)

    def clip(self, words: str = "the boat rocks", **more: Any) -> VideoRequest:
        return VideoRequest(prompt=words, image=self.image(), move="hold", form=FORM, frames=48, seed=7, **more)

    def image(self) -> MediaRef:
        with self.store.media.draft(".png") as path:
            Image.new("RGB", (1280, 720), (90, 120, 160)).save(path)
            return self.store.media.publish(path, ext="png", verdict=assembled())

    def make(self, request: Any, *, unit: str = "refs/prop/1", render: str = "paid", **more: Any) -> Generated:
        return self.generator.generate(
            request,
            project_id=self.project_id,
            unit_key=unit,
            render=render,
            cancel=more.pop("cancel", threading.Event()),
            **more,
        )

    def rows(self) -> list[Generation]:
        with self.store.db.read() as session:
            return list(session.scalars(select(Generation).order_by(Generation.prepared_at, Generation.attempt)))

    def statuses(self) -> list[str]:
        return [row.status for row in self.rows()]

    def submits(self) -> int:
        return len(self.simulator.requests(operation="submit"))


@contextmanager
def bench(simulator: Simulator, data_dir: Path, **settings: Any) -> Iterator[Bench]:
    """A store, a chain and a generator; closing it and opening it again is a restart of the program."""
    with open_store(data_dir) as store:
        with store.db.write() as session:
            project = session.scalars(select(Project)).first()
            if project is None:
                project = Project(title="A boat", story="A boat.")
                session.add(project)
                session.flush()
            project_id = project.id
        chain = ProviderChain(settings_at(simulator.env(), data_dir, **settings))
        try:
            yield Bench(simulator, store, chain, Generator(store, chain, timing=QUICK), project_id)
        finally:
            chain.close()
