"""The command `upgrade`: shots of the film that was made last are made again, in paid quality, and then the film."""

from __future__ import annotations

from argparse import Namespace

from pipeline.cli.exits import DONE, UNFINISHED, complain, printable
from pipeline.cli.film_file import checked_output, put
from pipeline.cli.progress import open_display
from pipeline.cli.workshop import Stopped, StopSign, Workshop, open_workshop
from pipeline.contracts import Render
from pipeline.errors import InvalidInput, NotFound
from pipeline.settings import load_settings

KINDS = ("frame", "video", "lipsync")


def upgrade(given: Namespace) -> int:
    """Returns the exit code; raises ProductError."""
    stop = StopSign()
    settings = load_settings(data_dir=given.data_dir)
    try:
        with open_workshop(settings, stop) as workshop:
            found = workshop.latest()
            if found is None:
                raise NotFound("There is no film to upgrade.", hint="Make one first: python -m pipeline film.")
            project_id, order = found
            out = checked_output(given.output or order.out, None)
            failed = _upgraded(workshop, project_id, given.shots, tuple(given.only or KINDS), given.render)
            display = open_display()
            try:
                status = workshop.make(project_id, display)
            finally:
                display.close()
            if status["state"] != "done":
                complain(f"The film is {status['state']} ({status['code']}).")
                return UNFINISHED
            put(workshop.film(project_id)["mp4"], out)
            print(printable(f"{out} is ready."), flush=True)
            return UNFINISHED if failed else DONE
    except Stopped as stopped:
        return stopped.code


def _upgraded(workshop: Workshop, project_id: int, numbers: list[int], kinds: tuple[str, ...], render: Render) -> bool:
    """Makes the shots (numbered from 1) one after another; whether anything failed."""
    shots = workshop.shots(project_id)
    unknown = [number for number in numbers if not 1 <= number <= len(shots)]
    if unknown:
        raise InvalidInput(f"There is no shot {unknown[0]}; the film has {len(shots)}.", field="shots")
    failed = False
    for number in numbers:
        for kind in KINDS:
            shot = shots[number - 1]
            speaks = shot.kind == "dialogue" and shot.speaker_id is not None
            if kind not in kinds or (kind == "lipsync" and not speaks):
                continue
            problem = workshop.remake(project_id, shot, kind, render)
            failed = failed or problem is not None
            print(printable(f"Shot {number}, {kind}: {problem or 'made'}."), flush=True)
    return failed
