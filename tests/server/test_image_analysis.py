"""What is told of pictures: looked at by themselves, once each, on the project's money, and never made up."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, event, func, select

from pipeline.store.models import Generation, MoneyEntry, Project
from tests.server import pictures
from tests.server.studio import COLOURS, Studio, open_studio
from tests.simulator import ChatRequest, Simulator

MODEL = "openai/gpt-5-mini"
SEEN: dict[str, Any] = {
    "caption": "A girl in a red coat holds a brass bell.",
    "people": [{"looks": "black braid, red coat", "age_group": "child", "gender": "female"}],
    "place": "a harbour",
    "objects": ["bell", "rope"],
    "text": ["MIRA II"],
    "mood": "calm, dawn light",
}
SETTLED = ("done", "failed", "needs_setup", "embedded")


@contextmanager
def opened(
    folder: Path, answer: Callable[[ChatRequest], Any] = lambda request: SEEN, **settings: Any
) -> Iterator[Studio]:
    with Simulator() as simulator:
        simulator.respond("chat", answer)
        studio = open_studio(simulator, folder / "data", **{"vision_model": MODEL, **settings})
        yield studio
        studio.services.close(5)
        assert simulator.errors == []


@pytest.fixture
def seeing(tmp_path: Path) -> Iterator[Studio]:
    with opened(tmp_path) as studio:
        yield studio


def guide(studio: Studio, address: str, number: int = 0) -> dict[str, Any]:
    """A guide's analysis, once its picture is settled."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = studio.see(address)["guide_images"][number]["analysis"]
        return found if found["status"] in SETTLED else None

    settled: dict[str, Any] = studio.until(look)
    return settled


def jobs(studio: Studio) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = studio.see("/api/jobs", kind="analyse")["items"]
    return items


def asked(studio: Studio) -> list[Any]:
    return studio.simulator.requests(operation="chat")


# --- By itself ----------------------------------------------------------------------------------------


def test_an_upload_is_looked_at_by_itself(seeing: Studio) -> None:
    bell = seeing.add("props", "Bell", guides=1)
    told = guide(seeing, bell)
    assert (told["status"], told["caption"], told["error"]) == ("done", SEEN["caption"], None)
    assert told["details"] == {name: SEEN[name] for name in ("people", "place", "objects", "text", "mood")}
    assert (told["provider"], told["model"]) == ("openrouter", MODEL)
    (job,) = jobs(seeing)
    seeing.until(lambda: seeing.job(job["id"])["status"] == "done")
    assert (job["target_type"], job["project_id"], job["model"]) == ("images", seeing.project, MODEL)
    image = seeing.see(f"/api/images/{told['sha256']}")
    assert (image["analysis"], image["origin"]) == (told, "upload")
    assert seeing.see(f"{bell}/guide-images")["items"][0]["analysis"] == told


def test_what_is_sent_is_a_small_copy(tmp_path: Path) -> None:
    sizes: list[tuple[str | None, tuple[int, int]]] = []

    def answer(request: ChatRequest) -> dict[str, Any]:
        with Image.open(io.BytesIO(request.images[0])) as image:
            sizes.append((image.format, image.size))
        return SEEN

    with opened(tmp_path, answer) as studio:
        bell = studio.add("props", "Bell")
        file = (io.BytesIO(pictures.png(Image.new("RGBA", (2048, 512), (200, 30, 30, 128)))), "p.png")
        studio.client.post(f"{bell}/guide-images", data={"file": [file]}, content_type="multipart/form-data")
        assert guide(studio, bell)["status"] == "done"
    assert sizes == [("JPEG", (1024, 256))]


def test_equal_pictures_are_looked_at_once(seeing: Studio) -> None:
    bell = seeing.add("props", "Bell", guides=1)
    assert guide(seeing, bell)["status"] == "done"
    mira = seeing.add("characters", "Mira", guides=1)
    assert guide(seeing, mira) == guide(seeing, bell)
    assert seeing.upload(f"{mira}/reference-image", COLOURS[0]).status_code == 201
    assert seeing.see(mira)["reference_image_analysis"] == guide(seeing, bell)
    assert (len(asked(seeing)), len(jobs(seeing))) == (1, 1)


def test_what_a_provider_made_or_edited_is_looked_at(seeing: Studio) -> None:
    bell = seeing.add("props", "Bell", guides=1)
    seeing.made(bell)
    made = seeing.until(lambda: _done(seeing.see(bell)["reference_image_analysis"]))
    seeing.made(bell, edit_existing=True)
    edited = seeing.until(lambda: _done(seeing.see(bell)["reference_image_analysis"]))
    assert len({made["sha256"], edited["sha256"], guide(seeing, bell)["sha256"]}) == 3
    assert len(asked(seeing)) == 3


def _done(told: dict[str, Any]) -> dict[str, Any] | None:
    return told if told["status"] == "done" else None


def test_drawings_of_our_own_are_not_asked_about(tmp_path: Path) -> None:
    with opened(tmp_path) as studio:
        bell = studio.add("props", "Bell")
        with studio.services.store.db.write() as session:
            session.get_one(Project, studio.project).render_image = "preview"
        studio.made(bell)
        told = studio.see(bell)["reference_image_analysis"]
        assert (told["status"], told["caption"], told["details"]) == ("embedded", "", None)
        assert (asked(studio), jobs(studio)) == ([], [])
        job = studio.ask(f"/api/images/{told['sha256']}", "analyse")
        assert studio.ended(job)["status"] == "done"
        assert studio.see(bell)["reference_image_analysis"]["status"] == "done"


# --- Nobody to ask --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"vision_model": None}, "VISION_MODEL"),
        ({"openrouter_api_key": None}, "OPENROUTER_API_KEY"),
        ({"vision_model": "claude-haiku-4-5", "anthropic_api_key": None}, "ANTHROPIC_API_KEY"),
        ({"vision_model": "llava"}, "OPENAI_COMPATIBLE_BASE_URL"),
    ],
)
def test_without_a_vision_model_it_says_what_to_set(tmp_path: Path, settings: dict[str, Any], wanted: str) -> None:
    with opened(tmp_path, **{"openai_compatible_base_url": None, **settings}) as studio:
        bell = studio.add("props", "Bell", guides=1)
        told = guide(studio, bell)
        assert (told["status"], told["caption"], told["details"]) == ("needs_setup", "", None)
        assert told["error"]["code"] == "needs_setup"
        assert wanted in told["error"]["hint"]
        answer = studio.client.post(f"/api/images/{told['sha256']}/analyse")
        assert answer.get_json()["code"] == "needs_setup"
        assert wanted in answer.get_json()["hint"]
        assert (asked(studio), jobs(studio)) == ([], [])


def test_once_a_key_is_set_it_can_be_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path, vision_model=None) as studio:
        bell = studio.add("props", "Bell", guides=1)
        sha256 = guide(studio, bell)["sha256"]
        studio.services.close(5)
        later = open_studio(studio.simulator, studio.folder, studio.project, vision_model=MODEL)
        assert guide(later, bell)["status"] == "needs_setup"
        job = later.ask(f"/api/images/{sha256}", "analyse")
        assert later.ended(job)["status"] == "done"
        assert (job["project_id"], guide(later, bell)["caption"]) == (studio.project, SEEN["caption"])
        assert guide(later, bell)["error"] is None
        later.services.close(5)


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("anthropic", {"vision_model": "claude-haiku-4-5"}),
        ("openai_compatible", {"vision_model": "llava"}),
        ("openai_compatible", {"vision_model": "qwen/qwen-vl", "openrouter_api_key": None}),
    ],
)
def test_others_than_openrouter_look_too(tmp_path: Path, provider: str, settings: dict[str, Any]) -> None:
    with opened(tmp_path, **settings) as studio:
        told = guide(studio, studio.add("props", "Bell", guides=1))
        assert (told["status"], told["provider"], told["model"]) == ("done", provider, settings["vision_model"])


# --- What may go wrong -----------------------------------------------------------------------------------


def test_an_answer_that_breaks_the_rules_is_asked_again(tmp_path: Path) -> None:
    answers = [{**SEEN, "people": "one"}, {**SEEN, "caption": " "}, SEEN]
    with opened(tmp_path, lambda request: answers.pop(0)) as studio:
        assert guide(studio, studio.add("props", "Bell", guides=1))["caption"] == SEEN["caption"]
        assert len(asked(studio)) == 3


def test_a_failure_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    answers: list[Any] = [{**SEEN, "caption": ""}] * 3 + [SEEN]
    with opened(tmp_path, lambda request: answers.pop(0)) as studio:
        bell = studio.add("props", "Bell", guides=1)
        told = guide(studio, bell)
        assert (told["status"], told["caption"], told["error"]["code"]) == ("failed", "", "bad_answer")
        (job,) = jobs(studio)
        studio.until(lambda: studio.job(job["id"])["status"] == "failed")
        assert studio.client.post(f"/api/jobs/{job['id']}/retry").status_code == 202
        assert studio.ended(job)["status"] == "done"
        assert guide(studio, bell)["status"] == "done"


def test_what_is_in_an_answer_can_be_kept_and_shown(tmp_path: Path) -> None:
    strange = {**SEEN, "caption": "A\u0000 bell\nand \ud800 more " + "x" * 5_000, "objects": ["", " ", "a\tbell"] * 400}
    with opened(tmp_path, lambda request: json.dumps(strange)) as studio:
        told = guide(studio, studio.add("props", "Bell", guides=1))
        assert told["caption"].startswith("A bell and more x")
        assert len(told["caption"]) <= 600
        assert set(told["details"]["objects"]) == {"a bell"}


def test_it_is_paid_from_the_projects_money(seeing: Studio) -> None:
    guide(seeing, seeing.add("props", "Bell", guides=1))
    with seeing.services.store.db.read() as session:
        row = session.scalars(select(Generation).where(Generation.capability == "text")).one()
        booked = session.scalar(select(func.sum(MoneyEntry.micros)).where(MoneyEntry.project_id == seeing.project))
    assert row.project_id == seeing.project
    assert row.actual_micros == seeing.simulator.bill.total() == booked
    assert seeing.job(jobs(seeing)[0]["id"])["cost_micros"] == row.actual_micros
    assert len(str(row.request)) < 10_000  # the picture itself is not kept a second time


def test_a_reached_budget_is_respected(tmp_path: Path) -> None:
    with opened(tmp_path, vision_model="claude-haiku-4-5") as studio:
        with studio.services.store.db.write() as session:
            session.get_one(Project, studio.project).budget_cents = 0
        told = guide(studio, studio.add("props", "Bell", guides=1))
        assert (told["status"], told["caption"], told["error"]["code"]) == ("failed", "", "budget_reached")
        assert asked(studio) == []


# --- How it is shown --------------------------------------------------------------------------------------


def test_many_pictures_take_no_more_queries(seeing: Studio) -> None:
    for number in range(2):
        seeing.add("props", f"One {number}", guides=1)
    few = _queries(seeing)
    for number in range(6):
        seeing.add("props", f"More {number}", guides=3)
    assert _queries(seeing) == few


def _queries(studio: Studio) -> int:
    found: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "image_analyses" in statement and statement.startswith("SELECT json_object"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        studio.see(f"/api/projects/{studio.project}/props")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found
    return len(found)


def test_only_pictures_have_an_address_here(seeing: Studio) -> None:
    for name in ("0" * 64, "nothing", "%2e%2e"):
        assert seeing.client.get(f"/api/images/{name}").status_code == 404
        assert seeing.client.post(f"/api/images/{name}/analyse").status_code == 404
