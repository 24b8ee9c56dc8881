"""Whether what the ledger has of a unit stands, or is to be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import MediaMissing
from pipeline.runner.graph import Node
from pipeline.stage import Stage, StageContext
from pipeline.store.ledger import StepRecord


@dataclass(frozen=True)
class RunOptions:
    """What a run redoes: stale units from the stage `redo_from` on; with `force` those with equal digests too."""

    redo_from: str | None = None
    force: bool = False

    def ask_to_redo(self, stage: Stage, order: Sequence[Stage]) -> bool:
        names = [known.name for known in order]
        return self.redo_from is not None and names.index(stage.name) >= names.index(self.redo_from)


def stands(
    ctx: StageContext, node: Node, record: StepRecord, digest: str, *, options: RunOptions, order: Sequence[Stage]
) -> bool:
    """Equal inputs and whole media, or stale work that nobody asked to redo. The log says which media are gone."""
    if record.status not in ("done", "skipped"):
        return False
    lost = _lost_media(ctx, record)
    if lost is not None:
        ctx.say(node.stage.name, node.unit.key, f"{node.unit.label}: {lost} is gone, making it again")
        return False
    if record.digest == digest and (told := getattr(node.stage, "stands", None)):
        told(ctx, node.unit)  # a stage that marks what an edit made stale: the edit has come to nothing
    asked = options.ask_to_redo(node.stage, order)
    if record.digest != digest:
        return not (asked or node.unit.derived)
    redone = record.run_id == ctx.run_id
    return redone or not (asked and options.force)


def _lost_media(ctx: StageContext, record: StepRecord) -> str | None:
    for url in (record.output or {}).get("media", ()):
        try:
            ctx.store.media.path(url)
        except MediaMissing:
            return str(url)
    return None
