"""What is left of a film, in money and time: a range per stage, by the model that would be asked. Nothing is sent.

Hides how work that is not known yet is guessed. Where segments and shots are known, the low end is their list price;
the high end allows for work that has to be done again. Where only the story is known, their number is guessed from its
length, and the range is wide. Work that a provider has already counts in the ledger, and so not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import (
    ChatRequest,
    FilmForm,
    FrameBrief,
    ImageRequest,
    JobRequest,
    LipsyncRequest,
    Look,
    MediaRef,
    ReferenceBrief,
    SpeechRequest,
    VideoRequest,
)
from pipeline.errors import NeedsSetup, NotFound
from pipeline.film.timeline import slot_frames
from pipeline.generation.chain import ProviderChain
from pipeline.generation.chat import TextChain
from pipeline.generation.entities import film_form, render_of
from pipeline.generation.references import OVERSCAN, used_entities
from pipeline.runner.progress import UNIT_SECONDS, WORDS_PER_SEGMENT, WORDS_PER_SHOT
from pipeline.store import Store, money
from pipeline.store.models import Generation, MoneyEntry, Project, Scene, ScriptSegment, Shot, Step

WORDS_PER_SECOND = 2.5
WORDS_OF_AN_IDEA = 400
CHARACTERS_PER_WORD = 6
REFERENCES_PER_FRAME = 3
# (low, high) of a guess: where the units are known, and where their number is guessed.
KNOWN = (1.0, 1.25)
GUESSED = (0.6, 1.6)
TEXT = (0.5, 2.0)  # an answer's length is known only when it is there, and a question may have to be asked again
# Seconds that a provider takes as a rule for one unit; of our own engines `progress` knows better.
PROVIDER_SECONDS: Mapping[str, float] = {"audio": 4.0, "refs": 15.0, "frames": 15.0, "videos": 90.0, "lipsync": 60.0}
QUESTION_SECONDS = 20.0
_QUESTION_OF_A_SCENE = (6_000, 900)  # characters read, tokens written
_FILE = MediaRef(sha256="0" * 64, ext="png", size=0)


@dataclass(frozen=True)
class StageEstimate:
    """What is left of a stage. `units`: how many pieces, `known`: counted, not guessed; `problem`: why it cannot be
    done as things are, in words."""

    stage: str
    units: int
    known: bool
    provider: str = ""
    model: str = ""
    low_micros: int = 0
    high_micros: int = 0
    low_seconds: int = 0
    high_seconds: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Estimate:
    """What is left of a film; `spent_micros` is what it has cost so far, work under way included. `notes`: on prices
    that are assumed, or not known."""

    stages: tuple[StageEstimate, ...]
    spent_micros: int
    notes: tuple[str, ...] = ()

    @property
    def low_micros(self) -> int:
        return sum(one.low_micros for one in self.stages)

    @property
    def high_micros(self) -> int:
        return sum(one.high_micros for one in self.stages)

    @property
    def expected_micros(self) -> int:
        """The whole film: what it has cost, and the middle of what is left."""
        return self.spent_micros + (self.low_micros + self.high_micros) // 2

    @property
    def seconds(self) -> tuple[int, int]:
        """(low, high). Pictures, clips and lips are made side by side, so the longest of them counts."""
        aside = ("refs", "frames", "videos", "lipsync")
        low = sum(one.low_seconds for one in self.stages if one.stage not in aside)
        high = sum(one.high_seconds for one in self.stages if one.stage not in aside)
        low += max((one.low_seconds for one in self.stages if one.stage in aside), default=0)
        return low, high + sum(one.high_seconds for one in self.stages if one.stage in aside)


@dataclass
class _Left:
    """What a project still needs, by stage: requests for jobs, (characters read, tokens written) for questions."""

    known: dict[str, bool] = field(default_factory=dict)
    jobs: dict[str, list[JobRequest]] = field(default_factory=dict)
    questions: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def estimate(
    store: Store, chain: ProviderChain, text: TextChain, project_id: int, parallel: Mapping[str, int]
) -> Estimate:
    """For a project at any point. `parallel`: how many units of a stage are made at once. Raises NotFound."""
    with store.db.read() as session:
        project = session.get(Project, project_id)
        if project is None or project.deleted_at is not None:
            raise NotFound("There is no such project.")
        left = _left(session, project)
        spent = money.spent(session, MoneyEntry.project_id == project_id)
        pictures = render_of(project, "image")
        render = {"audio": project.render_speech, "refs": pictures, "frames": pictures}
        render |= {"videos": render_of(project, "video"), "lipsync": render_of(project, "lipsync")}
        render_text = project.render_text
    stages = [
        _questions(stage, asked, text, render_text, parallel.get(stage, 1), known=left.known.get(stage, False))
        for stage, asked in left.questions.items()
    ]
    stages += [
        _jobs(stage, wanted, chain, render[stage], parallel.get(stage, 1), known=left.known.get(stage, False))
        for stage, wanted in left.jobs.items()
    ]
    asked = {(one.provider, one.model) for one in stages if one.units}
    return Estimate(tuple(stages), spent, tuple(text.price_notes(asked)))


def price_notes(store: Store, text: TextChain, project_id: int) -> list[str]:
    """Sentences on prices that are assumed, or not known, of the language models that a project has asked."""
    where = Generation.project_id == project_id, Generation.capability == "text"
    with store.db.read() as session:
        asked = session.execute(select(Generation.provider, Generation.model).where(*where).distinct()).all()
    return text.price_notes({(provider, model) for provider, model in asked})


def of_unit(
    chain: ProviderChain, text: TextChain, project: Project, stage: str, row: Shot | Scene | ScriptSegment, render: str
) -> int:
    """What one unit would cost at the first choice, in micro-dollars. Raises NeedsSetup."""
    if isinstance(row, Scene):
        adapter = text.first_choice(render)
        return 0 if adapter is None else adapter.estimate(_question(*_QUESTION_OF_A_SCENE))
    if isinstance(row, ScriptSegment):
        request: JobRequest = SpeechRequest(text=row.text, voice="", language=project.language or "en")
    else:
        form, take = film_form(project), _Take(row.start_ms, row.end_ms, row.kind == "dialogue")
        clip = partial(_clip, project, form, take, render_of(project, "lipsync") != "preview")
        makes: dict[str, Callable[[], JobRequest]] = {
            "frames": partial(_frame, project, form),
            "videos": clip,
            "lipsync": partial(_lips, form, take),
        }
        request = makes[stage]()
    [request] = _voiced([request], chain, render)
    first = chain.candidates(request, render)[0]
    return first.adapter.estimate(request, first.model.name)


# --- Prices ---------------------------------------------------------------------------------------


def _jobs(
    stage: str, wanted: Sequence[JobRequest], chain: ProviderChain, render: str, parallel: int, *, known: bool
) -> StageEstimate:
    found = StageEstimate(stage, len(wanted), known)
    if not wanted:
        return found
    try:
        wanted = _voiced(wanted, chain, render)
        first = chain.candidates(wanted[0], render)[0]
    except NeedsSetup as failure:
        return replace(found, problem=failure.sentence)
    micros = sum(first.adapter.estimate(one, first.model.name) for one in wanted)
    each = PROVIDER_SECONDS[stage] if first.paid else UNIT_SECONDS[stage]
    found = replace(found, provider=first.adapter.name, model=first.model.name)
    return _ranged(found, micros, -(-len(wanted) // max(1, parallel)) * each, KNOWN if known else GUESSED)


def _voiced(wanted: Sequence[JobRequest], chain: ProviderChain, render: str) -> Sequence[JobRequest]:
    """Speech is served by the provider whose voice it is."""
    first = wanted[0]
    voices = chain.voices(first.language, render) if isinstance(first, SpeechRequest) else ()
    return [one.model_copy(update={"voice": voices[0].id}) for one in wanted] if voices else wanted


def _questions(
    stage: str, asked: Sequence[tuple[int, int]], text: TextChain, render: str, parallel: int, *, known: bool
) -> StageEstimate:
    found = StageEstimate(stage, len(asked), known)
    if not asked:
        return found
    try:
        adapter = text.first_choice(render)
    except NeedsSetup as failure:
        return replace(found, problem=failure.sentence)
    if adapter is None:
        return _ranged(replace(found, provider="local"), 0, UNIT_SECONDS[stage] * len(asked), KNOWN)
    micros = sum(adapter.estimate(_question(characters, tokens)) for characters, tokens in asked)
    seconds = -(-len(asked) // max(1, parallel)) * QUESTION_SECONDS
    return _ranged(replace(found, provider=adapter.name, model=adapter.model), micros, seconds, TEXT)


def _ranged(found: StageEstimate, micros: int, seconds: float, spread: tuple[float, float]) -> StageEstimate:
    low, high = spread
    return replace(
        found,
        low_micros=int(micros * low),
        high_micros=-int(-micros * high // 1),
        low_seconds=round(seconds * min(low, 0.7)),
        high_seconds=round(seconds * max(high, 1.5)) + 1,
    )


def _question(characters: int, tokens: int) -> ChatRequest:
    # An adapter takes an answer to be half as long as it may be.
    return ChatRequest(
        purpose="estimate",
        system="",
        prompt="x" * characters,
        schema_name="estimate",
        answer_schema={},
        max_output_tokens=2 * tokens,
    )


# --- What is left ---------------------------------------------------------------------------------


def _left(session: Session, project: Project) -> _Left:
    done = set(session.scalars(select(Step.key).where(Step.project_id == project.id, Step.status.in_(_ENDED))))
    under_way = select(Generation.unit_key).where(
        Generation.project_id == project.id, Generation.status.in_(money.OPEN)
    )
    done |= set(session.scalars(under_way))
    segments = list(session.scalars(select(ScriptSegment).where(ScriptSegment.project_id == project.id)))
    shots = list(session.scalars(select(Shot).where(Shot.project_id == project.id).order_by(Shot.idx)))
    scenes = list(session.scalars(select(Scene).where(Scene.project_id == project.id)))
    words = len(project.story.split()) or WORDS_OF_AN_IDEA
    left = _Left()
    _text_left(left, project, words, done, segments=bool(segments), scenes=scenes, shots=shots)
    _sound_left(left, project, words, done, segments)
    _pictures_left(left, session, project, words, done, shots)
    return left


_ENDED = ("done", "skipped")


def _text_left(
    left: _Left,
    project: Project,
    words: int,
    done: set[str],
    *,
    segments: bool,
    scenes: Sequence[Scene],
    shots: Sequence[Shot],
) -> None:
    characters = words * CHARACTERS_PER_WORD
    ended = {key.split("/")[0] for key in done}
    left.questions = {
        "story": [] if project.story.strip() else [(3_000, words * 2)],
        "analysis": [] if "analysis" in ended else [(characters + 5_000, 1_500)],
        "script": [] if segments else [(characters + 4_000, words * 2)],
        "scenes": [] if scenes else [(characters + 4_000, 800)],
    }
    filmed = {shot.scene_id for shot in shots}
    unfilmed = [scene for scene in scenes if scene.id not in filmed]
    expected = max(2, words // 90) + 1
    number = len(unfilmed) if scenes else expected
    left.questions["shots"] = [(4_000 + characters // max(1, expected), 900)] * number
    left.known |= dict.fromkeys(("story", "analysis", "script", "scenes"), True) | {"shots": bool(scenes)}


def _sound_left(left: _Left, project: Project, words: int, done: set[str], segments: Sequence[ScriptSegment]) -> None:
    texts = [one.text for one in segments if one.audio_url is None and f"audio/{one.id}" not in done]
    if not segments:
        each = WORDS_PER_SEGMENT * CHARACTERS_PER_WORD
        texts = ["x" * each] * max(1, words // WORDS_PER_SEGMENT)
    language = project.language or "en"
    left.jobs["audio"] = [SpeechRequest(text=one, voice="", language=language) for one in texts]
    left.known["audio"] = bool(segments)


@dataclass(frozen=True)
class _Take:
    """A shot that is there, or is likely to be."""

    start_ms: int
    end_ms: int
    spoken: bool
    frame: bool = True
    clip: bool = True
    lips: bool = True


def _pictures_left(
    left: _Left, session: Session, project: Project, words: int, done: set[str], shots: Sequence[Shot]
) -> None:
    form = film_form(project)
    takes = [
        _Take(
            shot.start_ms,
            shot.end_ms,
            shot.kind == "dialogue",
            frame=shot.first_frame_url is None and f"frames/{shot.id}" not in done,
            clip=shot.video_url is None and f"videos/{shot.id}" not in done,
            lips=shot.kind == "dialogue" and shot.lipsync_url is None and f"lipsync/{shot.id}" not in done,
        )
        for shot in shots
    ] or _likely(words)
    lips_paid = render_of(project, "lipsync") != "preview"
    left.jobs["refs"] = [_reference(project)] * _references_left(session, project, known=bool(shots))
    left.jobs["frames"] = [_frame(project, form)] * sum(one.frame for one in takes)
    left.jobs["videos"] = [_clip(project, form, one, lips_paid) for one in takes if one.clip]
    left.jobs["lipsync"] = [_lips(form, one) for one in takes if one.lips]
    left.known |= dict.fromkeys(("refs", "frames", "videos", "lipsync"), bool(shots))


def _likely(words: int) -> list[_Take]:
    number = max(1, words // WORDS_PER_SHOT)
    each = round(words / WORDS_PER_SECOND * 1000 / number)
    return [
        _Take(index * each, (index + 1) * each, spoken=index % 3 == 2, lips=index % 3 == 2) for index in range(number)
    ]


def _references_left(session: Session, project: Project, *, known: bool) -> int:
    if not known:
        return 8
    return sum(1 for one in used_entities(session, project.id) if not one.reference_image_url)


def _reference(project: Project) -> ImageRequest:
    brief = ReferenceBrief(subject=Look(kind="character", name="x"))
    return ImageRequest(model=project.reference_image_model, prompt="x", width=768, height=960, seed=0, brief=brief)


def _frame(project: Project, form: FilmForm) -> ImageRequest:
    width, height = (round(side * OVERSCAN / 2) * 2 for side in (form.width, form.height))
    return ImageRequest(
        model=project.frame_image_model,
        prompt="x",
        width=width,
        height=height,
        seed=0,
        references=(_FILE,) * REFERENCES_PER_FRAME,
        brief=FrameBrief(framing="medium"),
    )


def _clip(project: Project, form: FilmForm, take: _Take, lips_paid: bool) -> VideoRequest:
    return VideoRequest(
        model=project.video_model,
        needs_720p=take.spoken and lips_paid,
        prompt="x",
        image=_FILE,
        move="hold",
        form=form,
        frames=slot_frames(take.start_ms, take.end_ms, form.fps)[1],
        seed=0,
    )


def _lips(form: FilmForm, take: _Take) -> LipsyncRequest:
    frames = slot_frames(take.start_ms, take.end_ms, form.fps)[1]
    return LipsyncRequest(clip=_FILE, audio=_FILE, speaker="x", form=form, frames=frames)
