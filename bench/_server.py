"""`python -m bench._server DATA_DIR`: the server over a store that is full, with two plain routes to measure it by, and
a writer that is as busy as a film in the making. It prints its address and ends with its standard input.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import waitress
from flask import Response, jsonify
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pipeline.settings import load_settings
from pipeline.store.models import Character, Project, Scene, ScriptSegment, Set, Shot
from server.app import create_app
from server.process import THREADS
from server.wiring import Services, open_services

SHOTS = 200
PROJECTS = 1000
EVENTS_PER_S = 10  # what a film of the embedded engines logs


def fill(services: Services) -> int:
    """A thousand projects; the id of the one with two hundred shots."""
    with services.store.db.write() as session:
        story = "Once upon a time there was a bell. " * 200
        rows = [{"title": f"Film {number}", "story": story} for number in range(PROJECTS)]
        session.execute(insert(Project), rows)
        project_id = session.scalars(select(Project.id).order_by(Project.id.desc())).first() or 0
        _film(session, project_id)
        services.store.events.append(session, project_id=project_id, kind="project", text="The project was created.")
    return project_id


def _film(session: Session, project_id: int) -> None:
    belongs = {"project_id": project_id}
    speaker, place = Character(**belongs, name="Mira"), Set(**belongs, name="Harbour")
    session.add_all([speaker, place])
    session.flush()
    scene = Scene(**belongs, idx=0, set_id=place.id, first_segment_idx=0, last_segment_idx=SHOTS - 1)
    session.add(scene)
    session.flush()
    picture = {"engine": "drawn", "faces": [{"name": "Mira", "x": 0.4, "y": 0.3, "width": 0.1, "height": 0.2}]}
    for number in range(SHOTS):
        times = {"start_ms": number * 4000, "end_ms": number * 4000 + 4000, "duration_ms": 4000}
        files = dict.fromkeys(("first_frame_url", "video_url"), f"/media/{number:064x}.jpg")
        said = {"text": "She ran down to the harbour at dawn, and nobody saw her go.", "segments": [number]}
        shot = Shot(**belongs, scene_id=scene.id, idx=number, kind="dialogue", speaker_id=speaker.id, **times, **files)
        for name, value in {**said, "subjects": ["Mira"], "frame_meta": picture, "video_meta": picture}.items():
            setattr(shot, name, value)
        session.add(shot)
        spoken = {"segment_type": "dialogue", "speaker_id": speaker.id, "text": said["text"]}
        session.add(ScriptSegment(**belongs, idx=number, **spoken))


def write_like_a_film(services: Services, project_id: int, stop: threading.Event) -> None:
    number = 0
    while not stop.wait(1 / EVENTS_PER_S):
        number += 1
        with services.store.db.write(durable=True) as session:
            shot = session.scalars(select(Shot).where(Shot.project_id == project_id, Shot.idx == number % SHOTS)).one()
            shot.action = f"take {number}"
            services.store.events.append(
                session, project_id=project_id, stage="videos", unit=f"videos/{shot.id}", text=f"Made clip {number}."
            )


def main(data_dir: Path) -> None:
    services = open_services(load_settings(data_dir=data_dir, env_files=[]))
    project_id = fill(services)
    app = create_app(services)

    @app.get("/bare")
    def bare() -> Response:
        return Response(b"{}", mimetype="application/json")

    @app.get("/orm/shots")
    def orm_shots() -> Response:
        with services.store.db.read() as session:
            query = select(Shot).where(Shot.project_id == project_id).order_by(Shot.idx)
            names = [column.name for column in Shot.__table__.columns]
            return jsonify([{name: getattr(shot, name) for name in names} for shot in session.scalars(query)])

    @app.get("/orm/projects")
    def orm_projects() -> Response:
        with services.store.db.read() as session:
            query = select(Project).order_by(Project.id.desc()).limit(100)
            names = [column.name for column in Project.__table__.columns if column.name not in ("story", "idea")]
            return jsonify([{name: getattr(one, name) for name in names} for one in session.scalars(query)])

    server = waitress.create_server(
        app, host="127.0.0.1", port=0, threads=THREADS, connection_limit=512, channel_request_lookahead=1
    )
    threading.Thread(target=server.run, daemon=True).start()
    stop = threading.Event()
    writer = threading.Thread(target=write_like_a_film, args=(services, project_id, stop), daemon=True)
    writer.start()
    print(f"http://127.0.0.1:{server.effective_port} {project_id}", flush=True)
    sys.stdin.read()
    stop.set()
    writer.join()
    time.sleep(0.1)
    services.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
