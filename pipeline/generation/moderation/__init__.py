"""Whether a picture or clip may be used, and may be shown. Its answer is final.

Hides the checkers, their order, what is asked of whom at which rating, and how verdicts are kept. A checker that
errs is followed by the next; when all have erred, nothing is decided, and nothing is shown.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import select

from pipeline.contracts import PICTURES, MediaRef
from pipeline.errors import Cancelled, InvalidInput, NeedsSetup
from pipeline.generation.moderation import policy
from pipeline.generation.moderation.clearances import assembled, by_our_engine, sound, uploaded
from pipeline.generation.moderation.policy import Decision, Said
from pipeline.generation.outcomes import ContentRefused, ModerationUnavailable
from pipeline.generation.record import Bill
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.moderators import MODERATORS, Answer, Check, Compute, ModerationAdapter, load_moderator
from pipeline.settings import Settings
from pipeline.store import Store
from pipeline.store.clearance import Checkpoint, Clearance, Finding, Rating, record
from pipeline.store.models import MediaFile, Project, Verdict

__all__ = ["Moderator", "assembled", "by_our_engine", "sound", "uploaded"]

log = logging.getLogger(__name__)

VIEWS_TIMEOUT_S = 90.0
CLIPS = frozenset({"mp4", "webm", "mov"})
_SETUP: dict[Check, str] = {
    "visual": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, OPENAI_API_KEY, or VISION_MODEL with OPENROUTER_API_KEY",
    "age": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or VISION_MODEL with OPENROUTER_API_KEY",
    "celebrity": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
}


class Looks(Protocol):
    def __call__(
        self, checker: str, check: str, most_micros: int, project_id: int | None, cancel: threading.Event
    ) -> AbstractContextManager[Bill]: ...


class Moderator:
    """One per store. `look` stands around every look, for its money (`Records.look`). Every method may be called from
    any thread, blocks, and raises ProductError."""

    def __init__(self, store: Store, settings: Settings, compute: Compute, look: Looks) -> None:
        self._store = store
        self._settings = settings
        self._compute = compute
        self._look = look
        self._order = _order(settings.moderation_checkers)
        self._adapters: dict[str, ModerationAdapter] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            adapters, self._adapters = list(self._adapters.values()), {}
        for adapter in adapters:
            adapter.close()

    def rating(self, project_id: int | None) -> Rating:
        with self._store.db.read() as session:
            said = session.scalar(select(Project.rating).where(Project.id == project_id))
        return "mature" if said == "mature" else "general"

    def require_setup(self, rating: Rating) -> None:
        """Raises NeedsSetup where a check is missing without which nothing may be made at this rating."""
        for check in policy.required(rating):
            if not self._checkers(check, rating):
                raise NeedsSetup(
                    f"At the {rating} rating the {check} check has to be set up.",
                    hint=f"Set {_SETUP[check]}; or set the project's rating to general.",
                    field="rating",
                )

    # --- The two checkpoints --------------------------------------------------------------------

    def check_inputs(self, refs: Sequence[MediaRef], project_id: int | None, cancel: threading.Event) -> None:
        """Before work starts. Raises ContentRefused (for one of them) and ModerationUnavailable."""
        rating = self.rating(project_id)
        for ref in refs:
            if ref.ext not in PICTURES | CLIPS:
                continue
            known = self._known(ref.sha256, rating)
            if known == "flagged":
                raise ContentRefused(self._reason_of(ref.sha256, rating), subject="input")
            if known is not None:
                continue
            length = int(ref.meta.get("measured", {}).get("duration_ms", 0))
            path = self._store.media.path(ref.url)
            decision, findings = self._judge("input", rating, path, ref.ext, length, project_id, cancel)
            self._keep(findings, ref.sha256, "input", rating, project_id, None)
            _hold_to(decision, subject="input")

    def check_output(
        self,
        path: Path,
        ext: str,
        *,
        generation_id: str,
        project_id: int | None,
        provider: str,
        duration_ms: int = 0,
        cancel: threading.Event,
    ) -> Clearance:
        """Before it becomes visible. Raises ContentRefused, and ModerationUnavailable when it stays undecided."""
        if ext not in PICTURES | CLIPS:
            return sound(provider, generation_id)
        rating = self.rating(project_id)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        decision, findings = self._judge("output", rating, path, ext, duration_ms, project_id, cancel)
        if decision.act != "pass":
            self._keep(findings, sha256, "output", rating, project_id, generation_id)
            _hold_to(decision, subject="output")
        return Clearance("checked", findings, sha256, "output", rating, project_id, generation_id)

    # --- Asking ---------------------------------------------------------------------------------

    def _judge(
        self,
        checkpoint: Checkpoint,
        rating: Rating,
        path: Path,
        ext: str,
        duration_ms: int,
        project_id: int | None,
        cancel: threading.Event,
    ) -> tuple[Decision, tuple[Finding, ...]]:
        from pipeline.inference import safety  # with an image library, which no start has to wait for

        with self._store.folder.work() as folder:
            kind = "video" if ext in CLIPS else "image"
            pictures = self._compute(safety.views, path, kind, duration_ms, folder, timeout_s=VIEWS_TIMEOUT_S)
            said: dict[Check, Said] = {}
            findings: list[Finding] = []
            for check in policy.wanted(checkpoint, rating):
                said[check] = self._asked(check, rating, pictures, project_id, cancel, findings)
        decision = policy.decide(checkpoint, rating, said)
        if decision.act == "refuse":
            findings.append(Finding("decision", "policy", "flagged", decision.reason))
        return decision, tuple(findings)

    def _asked(
        self,
        check: Check,
        rating: Rating,
        pictures: Sequence[Path],
        project_id: int | None,
        cancel: threading.Event,
        findings: list[Finding],
    ) -> Said:
        """Asks one checker after another until one does not err; every answer is added to `findings`."""
        checkers = self._checkers(check, rating)
        for adapter in checkers:
            if cancel.is_set():
                raise Cancelled("The work was stopped while it was checked.")
            most = adapter.price(check, len(pictures))
            with self._look(adapter.name, check, most, project_id, cancel) as bill:
                answer = None
                try:
                    answer = adapter.check(check, pictures)
                    bill.micros = answer.cost_micros
                except ProviderFailure as failure:
                    log.warning("%s check by %s: %s", check, adapter.name, failure)
                    bill.micros, bill.lost = failure.cost_micros or (most if failure.accepted else 0), True
            if answer is None:
                findings.append(Finding(check, adapter.name, "error"))
                continue
            said = Said(check, "answered" if answer.known else "unknown", adapter.name, dict(answer.scores))
            findings.append(_finding(said, rating, answer))
            return said
        if not checkers:
            findings.append(Finding(check, "none", "unknown"))
        return Said(check, "error" if checkers else "missing")

    def _checkers(self, check: Check, rating: Rating) -> list[ModerationAdapter]:
        with self._lock:
            for name in self._order:
                if name not in self._adapters:
                    self._adapters[name] = load_moderator(name, self._settings, self._compute)
            adapters = [self._adapters[name] for name in self._order]
        ready = [one for one in adapters if check in one.checks and one.missing() is None]
        return [one for one in ready if rating == "general" or one.grown_up]

    # --- Verdicts -------------------------------------------------------------------------------

    def _known(self, sha256: str, rating: Rating) -> str | None:
        """What is known of a file without a look: our engines' and our own code's work passes; None: nothing is."""
        with self._store.db.read() as session:
            origin = session.scalar(select(MediaFile.origin).where(MediaFile.sha256 == sha256))
            rows = session.execute(
                select(Verdict.outcome, Verdict.check)
                .where(Verdict.sha256 == sha256, Verdict.rating == rating, Verdict.check.in_(("visual", "decision")))
                .order_by(Verdict.id.desc())
            ).all()
        if any(check == "decision" for _, check in rows):
            return "flagged"
        if origin == "engine" or any(outcome == "passed" for outcome, _ in rows):
            return "passed"
        return None

    def _reason_of(self, sha256: str, rating: Rating) -> str:
        query = select(Verdict.reason).where(
            Verdict.sha256 == sha256, Verdict.rating == rating, Verdict.check == "decision"
        )
        with self._store.db.read() as session:
            return session.scalars(query.order_by(Verdict.id.desc())).first() or "moderation"

    def _keep(
        self,
        findings: tuple[Finding, ...],
        sha256: str,
        checkpoint: Checkpoint,
        rating: Rating,
        project_id: int | None,
        generation_id: str | None,
    ) -> None:
        with self._store.db.write() as session:
            record(
                session,
                findings,
                sha256,
                checkpoint=checkpoint,
                rating=rating,
                project_id=project_id,
                generation_id=generation_id,
            )


def _finding(said: Said, rating: Rating, answer: Answer) -> Finding:
    limits = policy.in_use(said.check, rating, said.provider)
    if said.state == "unknown":
        return Finding(said.check, said.provider, "unknown", None, answer.scores, limits)
    over = [label for label, limit in limits.items() if said.score(label) >= limit and label != "minor"]
    # A likely minor is no offence by itself, so it is the decision that flags it.
    reason = next((one for one in policy.GRAVEST if one in over), None)
    return Finding(said.check, said.provider, "flagged" if reason else "passed", reason, answer.scores, limits)


def _hold_to(decision: Decision, *, subject: str) -> None:
    if decision.act == "refuse":
        raise ContentRefused(decision.reason or "moderation", subject=subject)
    if decision.act == "hold":
        raise ModerationUnavailable(decision.check or "visual", subject=subject)


def _order(setting: str) -> tuple[str, ...]:
    """The checkers in the order in which they are asked; the bundled one is always there, and last."""
    names = [name.strip().lower() for name in setting.split(",") if name.strip()]
    strange = [name for name in names if name not in MODERATORS]
    if strange:
        raise InvalidInput(
            f"MODERATION_CHECKERS names {strange[0]!r}, which is no checker.",
            hint=f"Choose among {', '.join(MODERATORS)}.",
            field="MODERATION_CHECKERS",
        )
    return (*dict.fromkeys(name for name in names if name != "bundled"), "bundled")
