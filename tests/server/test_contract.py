"""That every route is declared, that its description says what the code does, and how declared routes behave."""

from __future__ import annotations

import json

from flask.testing import FlaskClient

from server.contract import declaration_of
from server.http import STATUS

PAGE_ROUTES = {"/", "/page/<path:name>", "/favicon.ico"}


def test_every_route_is_declared(client: FlaskClient) -> None:
    """Without a declaration a route would be missing from the API's description, and checked by hand or not at all."""
    app = client.application
    undeclared = {
        rule.rule for rule in app.url_map.iter_rules() if declaration_of(app.view_functions[rule.endpoint]) is None
    }
    assert undeclared == PAGE_ROUTES
    for rule in app.url_map.iter_rules():
        declaration = declaration_of(app.view_functions[rule.endpoint])
        if declaration is not None:
            assert declaration.summary and not declaration.summary.endswith("."), rule.rule
            assert set(declaration.problems) <= set(STATUS), rule.rule


def test_the_description_is_whole(client: FlaskClient) -> None:
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    described = answer.get_json()
    assert described["openapi"].startswith("3.1")
    names = [operation["operationId"] for place in described["paths"].values() for operation in place.values()]
    assert len(names) == len(set(names)) > 20
    text = json.dumps(described)
    refs = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert refs <= set(described["components"]["schemas"])
    create = described["paths"]["/api/projects"]["post"]
    assert {"201", "400", "403", "413", "415", "421", "422", "503", "507"} <= set(create["responses"])
    assert [header["name"] for header in create["parameters"]] == ["Idempotency-Key"]
    read = described["paths"]["/api/projects/{project_id}"]["get"]
    assert {"200", "304", "404"} <= set(read["responses"]) and "ETag" in read["responses"]["200"]["headers"]


def test_a_change_made_to_an_old_version_is_refused(client: FlaskClient, project: int) -> None:
    address = f"/api/projects/{project}"
    seen = client.get(address).get_json()["version"]
    changed = client.patch(address, json={"title": "First", "version": seen})
    assert (changed.status_code, changed.get_json()["version"]) == (200, seen + 1)
    late = client.patch(address, json={"title": "Second", "version": seen})
    assert (late.status_code, late.get_json()["code"]) == (409, "stale_version")
    assert str(seen + 1) in late.get_json()["detail"]
    assert client.get(address).get_json()["title"] == "First"
    for version in (0, "1", 1.5, 1 << 40):
        assert client.patch(address, json={"version": version}).status_code == 422


def test_parameters_that_are_none(client: FlaskClient) -> None:
    for query, field in (
        ("limit=1&limit=2", "limit"),
        ("size=1", "size"),
        ("limit=%201", "limit"),
        ("limit=", "limit"),
    ):
        answer = client.get(f"/api/projects?{query}")
        assert (answer.status_code, answer.get_json()["field"]) == (422, field), query
    for path in ("/api//projects", "/api/projects/", "/api/projects//shots"):
        assert client.get(path).status_code == 404, path
