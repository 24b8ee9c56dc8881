"""`python -m pipeline`: makes films without the server.

Exit codes: see `pipeline.cli.exits`. Heavy packages are imported by the command that needs them, so that an
interrupted film is back at work within a second or two.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EPILOG = """exit codes: 0 done; 1 unexpected failure; 2 wrong use, or a story that cannot be used; 3 another
process has the data folder; 4 the film could not be finished; 5 a folder cannot be used or is full; 6 something has to
be set up first (see doctor); 130 or 143 stopped by a signal: the same command goes on."""


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    from pipeline.cli.exits import guarded, silent_log

    silent_log()
    return guarded(lambda: _command(given))


def _command(given: argparse.Namespace) -> int:
    if given.command == "doctor":
        from pipeline.cli.doctor import doctor

        return doctor(given)
    if given.command == "upgrade":
        from pipeline.cli.upgrade import upgrade

        return upgrade(given)
    from pipeline.cli.film import film, resume

    return film(given) if given.command == "film" else resume(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="A story becomes a film.", epilog=_EPILOG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="film | resume | upgrade | doctor")
    film = commands.add_parser("film", help="make a film of a story", epilog=_EPILOG)
    film.add_argument("story", metavar="STORY.txt", help="the story, a text file (- for standard input)")
    film.add_argument("-o", "--output", type=Path, required=True, metavar="FILM.mp4", help="where to put the film")
    film.add_argument("--aspect", choices=("16:9", "9:16", "1:1"), default="16:9", help="the picture's shape")
    film.add_argument(
        "--render",
        choices=("auto", "preview", "paid"),
        help="who makes it: providers where a key is set (auto), the built-in engines (preview), providers only (paid)",
    )
    film.add_argument("--title", help="the film's title (default: taken from the story)")
    film.add_argument(
        "--quality",
        choices=("full", "draft"),
        default="full",
        help="a draft is half as large and drawn by the built-in engines, with the same cuts (default: full)",
    )
    film.add_argument(
        "--captions",
        choices=("track", "burned"),
        default="track",
        help="what is said: a track that players can show, or in the picture as well (default: track)",
    )
    film.add_argument("--title-card", action="store_true", help="begin with the title")
    film.add_argument("--end-card", action="store_true", help="end with closing words")
    film.add_argument(
        "--sound-bed",
        choices=("auto", "on", "off"),
        default="auto",
        help="quiet music and the sounds of the place under the voices (default: auto, where no voice is bought)",
    )
    film.add_argument("--no-fades", action="store_true", help="cut hard where time passes, too")
    film.add_argument("--report", type=Path, metavar="REPORT.json", help="write what was made, and how long it took")
    film.add_argument("--data-dir", type=Path, metavar="DIR", help="where work is kept (default: DATA_DIR; in DIR/cli)")
    film.add_argument("--estimate", action="store_true", help="say what it would cost and take, and make nothing")
    film.add_argument("--new", action="store_true", help="start over, even if this story's film is there")
    again = commands.add_parser("resume", help="go on with the film that was being made last", epilog=_EPILOG)
    again.add_argument("-o", "--output", type=Path, metavar="FILM.mp4", help="put it here instead")
    again.add_argument("--data-dir", type=Path, metavar="DIR", help="where work is kept (default: DATA_DIR)")
    better = commands.add_parser("upgrade", help="make shots of the last film again in paid quality", epilog=_EPILOG)
    better.add_argument("shots", type=int, nargs="+", metavar="SHOT", help="the shots' numbers, from 1")
    better.add_argument("--only", action="append", choices=("frame", "video", "lipsync"), help="not all three")
    better.add_argument("--render", choices=("paid", "preview"), default="paid", help="paid unless told otherwise")
    better.add_argument("-o", "--output", type=Path, metavar="FILM.mp4", help="put it here instead")
    better.add_argument("--data-dir", type=Path, metavar="DIR", help="where work is kept (default: DATA_DIR)")
    health = commands.add_parser("doctor", help="say what works here and what is missing")
    health.add_argument("--data-dir", type=Path, metavar="DIR", help="the data folder to look at (default: DATA_DIR)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
