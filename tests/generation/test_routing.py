"""The traffic split: which provider is asked first for a picture, by percent, and the same one for the same request."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipeline.contracts import ImageRequest, Look, ReferenceBrief
from pipeline.generation.chain import ProviderChain
from pipeline.generation.preferences import PreferenceBook, Preferences
from pipeline.settings import load_settings
from pipeline.store import open_store


def picture(number: int) -> ImageRequest:
    brief = ReferenceBrief(subject=Look(kind="prop", name="bell"))
    return ImageRequest(prompt=f"a bell, number {number}", width=64, height=64, seed=number, brief=brief)


def test_pictures_are_split_between_orders_of_providers(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data", fal_key="k", replicate_api_token="k", env_files=[])
    with open_store(settings.data_dir) as store:
        book = PreferenceBook(store)
        chain = ProviderChain(settings)
        chain.preferences = book

        def first(number: int) -> str:
            return chain.candidates(picture(number), "auto")[0].adapter.name

        usual = first(0)
        other = {"fal": "replicate", "replicate": "fal"}[usual]
        assert {first(number) for number in range(50)} == {usual}
        shares = [{"order": [other], "percent": 25}, {"order": [usual, other], "percent": 75}]
        with store.db.write() as session:
            book.change(session, Preferences.model_validate({"inference-traffic-split": shares}))
        asked = Counter(first(number) for number in range(400))
        assert 60 <= asked[other] <= 140
        assert [first(number) for number in range(50)] == [first(number) for number in range(50)]
        assert {one.adapter.name for one in chain.candidates(picture(1), "auto")} >= {usual, other}
        with store.db.write() as session:
            book.change(session, Preferences.model_validate({"inference-traffic-split": None}))
        assert {first(number) for number in range(50)} == {usual}
        chain.close()
