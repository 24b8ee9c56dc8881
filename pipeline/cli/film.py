"""The commands `film` and `resume`: everything is checked first, then the film is made, then put in its place."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from pipeline.cli import estimate
from pipeline.cli.exits import DONE, UNFINISHED, complain, printable
from pipeline.cli.film_file import beside, checked_output, checked_report, put, put_json
from pipeline.cli.progress import length_words, open_display
from pipeline.cli.story_file import read_story
from pipeline.cli.workshop import Order, Stopped, StopSign, Workshop, open_workshop
from pipeline.film.options import FilmOptions
from pipeline.projects import checked_fields, report
from pipeline.settings import load_settings

_MOST_NOTES = 8
_AGAIN = "Nothing is lost: run the same command again and it goes on from here."


def film(given: Namespace) -> int:
    """Makes a film of a story file. Returns the exit code; raises ProductError."""
    stop = StopSign()
    settings = load_settings(data_dir=given.data_dir)
    fields: dict[str, Any] = {"story": read_story(given.story), "aspect_ratio": given.aspect}
    if given.render:
        fields |= {f"render_{kind}": given.render for kind in ("text", "speech", "image", "video", "lipsync")}
    if given.title:
        fields["title"] = given.title
    fields |= _film_options(given)
    fields = checked_fields(fields, max_story_words=settings.max_story_words)
    order = Order(fields, checked_output(given.output, given.story), checked_report(given.report))
    stop_code = None
    try:
        with open_workshop(settings, stop) as workshop:
            project_id, known = workshop.project_for(order, new=given.new)
            if given.estimate:
                print("\n".join(estimate.lines(workshop.estimate(project_id))))
                return DONE
            return _make(workshop, project_id, order, known=known)
    except Stopped as stopped:
        stop_code = stopped.code
    complain(f"Stopped. {_AGAIN}")
    return stop_code


def _film_options(given: Namespace) -> dict[str, Any]:
    """What was chosen about the film besides its defaults, so that a plain command keeps finding its work."""
    asked = {
        "quality": given.quality,
        "captions": given.captions,
        "title_card": given.title_card,
        "end_card": given.end_card,
        "fades": not given.no_fades,
        "sound_bed": given.sound_bed,
    }
    return {name: value for name, value in asked.items() if value != FilmOptions.model_fields[name].default}


def resume(given: Namespace) -> int:
    """Goes on with the film that was being made last. Returns the exit code; raises ProductError."""
    stop = StopSign()
    settings = load_settings(data_dir=given.data_dir)
    try:
        with open_workshop(settings, stop) as workshop:
            found = workshop.unfinished()
            if found is None:
                print("There is no unfinished film.")
                return DONE
            project_id, order = found
            out = checked_output(given.output or order.out, None)
            order = Order(order.fields, out, checked_report(order.report))
            return _make(workshop, project_id, order, known=True)
    except Stopped as stopped:
        stop_code = stopped.code
    complain(f"Stopped. {_AGAIN}")
    return stop_code


def _make(workshop: Workshop, project_id: int, order: Order, *, known: bool) -> int:
    if not (known and workshop.finished(project_id)):
        display = open_display()
        try:
            status = workshop.make(project_id, display)
        finally:
            display.close()
        if status["state"] != "done":
            return _unfinished(workshop, project_id, order, status)
    summary = report(workshop.store, project_id)
    files = workshop.film(project_id)
    for kind, place in beside(order.out).items():
        if kind in files:
            put(files[kind], place)
    put(files["mp4"], order.out)
    if order.report:
        put_json(summary, order.report)
    _say_done(order, summary)
    return DONE


def _say_done(order: Order, summary: dict[str, Any]) -> None:
    problems = summary["problems"]
    for problem in problems[:_MOST_NOTES]:
        print(printable(f"Note: {problem['text']}"))
    if len(problems) > _MOST_NOTES:
        print(f"Note: and {len(problems) - _MOST_NOTES} more; --report writes them all.")
    length = length_words(summary["duration_ms"] or 0)
    draft = ", a draft" if summary["quality"] == "draft" else ""
    print(printable(f"{order.out} is ready{draft}: {length}, {len(summary['shots'])} shots."), flush=True)


def _unfinished(workshop: Workshop, project_id: int, order: Order, status: dict[str, Any]) -> int:
    if order.report:
        put_json(report(workshop.store, project_id), order.report)
    code = status["code"] or status["state"]
    reasons = [problem["text"] for problem in status["problems"] if problem["code"] == status["code"]]
    said = reasons or [line["text"] for line in workshop.store.events.last(project_id, 1, kind="run")]
    verb = {"paused": "is paused", "cancelled": "was cancelled"}.get(status["state"], "could not be finished")
    complain(f"The film {verb} ({code}). {' '.join(said)}")
    complain(_AGAIN)
    return UNFINISHED
