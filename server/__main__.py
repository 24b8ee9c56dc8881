"""`python -m server`: the server, and the care of its data folder.

Exit codes: 0 it was told to stop; 1 an unexpected failure; 2 wrong use, or a setting that cannot be used; 3 another
server has the data folder; 4 the data folder cannot be used; 5 the address cannot be used.
"""

from __future__ import annotations

import argparse
import logging
import sys
import uuid
from pathlib import Path

from pipeline.errors import DataFolderInUse, InvalidInput, ProductError
from pipeline.settings import Settings, load_settings
from pipeline.store.models import utc_now

log = logging.getLogger("server")


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = load_settings(data_dir=given.data_dir)
        return _command(given, settings)
    except ProductError as failure:
        print(f"video-story: {failure.sentence}", file=sys.stderr)
        return 3 if isinstance(failure, DataFolderInUse) else 2 if isinstance(failure, InvalidInput) else 4
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("reference %s", reference)
        print(f"video-story: something went wrong that should not have (reference {reference}).", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description="Video Story's server.")
    parser.add_argument("--data-dir", type=Path, default=None, help="the data folder (default: DATA_DIR)")
    commands = parser.add_subparsers(dest="command")
    copy = commands.add_parser("backup", help="copy the database and all media, also while the server runs")
    copy.add_argument("folder", type=Path, nargs="?", help="a new folder (default: one in DATA_DIR/backups)")
    back = commands.add_parser("restore", help="put a backup in the place of what is there")
    back.add_argument("folder", type=Path, help="a folder that `backup` made, or a database out of DATA_DIR/backups")
    commands.add_parser("check", help="verify the database and every file")
    return parser


def _command(given: argparse.Namespace, settings: Settings) -> int:
    if given.command is None:
        from server.process import serve

        return serve(settings)
    from pipeline.store.backup import backup, check, restore
    from pipeline.store.db import DataFolder

    folder = DataFolder(settings.data_dir)
    if given.command == "backup":
        stamp = utc_now()[:19].replace(":", "").replace("-", "")
        target = given.folder or folder.backups / f"backup-{stamp}"
        backup(folder, target)
        print(f"Copied to {target}, and verified.")
        return 0
    if given.command == "restore":
        restore(folder, given.folder)
        print(f"Restored from {given.folder}. Start the server again.")
        return 0
    complaints = check(folder)
    for complaint in complaints:
        print(complaint)
    print("The data folder has problems." if complaints else "Everything is in order.")
    return 4 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
