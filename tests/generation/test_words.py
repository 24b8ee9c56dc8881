"""What users read about work at providers: models by their labels, and never a name that is not to be seen."""

from __future__ import annotations

import pytest

from pipeline.errors import ProductError


def _said(desk) -> str:
    return str(desk.store.events.lines(desk.project_id, 100))


def test_models_go_by_their_labels_and_the_default_by_none_other(desk):
    """SPEC: the default choice is always called "Default (FLUX.2 Pro)"."""
    desk.simulator.script("job_failed", operation="submit")
    desk.make(desk.picture(model="pulid", references=(desk.image(),)))
    assert "Default (FLUX.2 Pro) at Replicate: submitted" in _said(desk)
    assert "Default (FLUX.2 Pro) at Replicate: replicate could not do it" in _said(desk)
    assert "It is made again." in _said(desk)
    assert "pulid" not in _said(desk).lower()


def test_a_refusal_of_the_default_names_no_other_model(desk):
    desk.simulator.script("moderation", operation="submit", times=0)
    request = desk.picture(model="pulid", references=(desk.image(),))
    for _ in range(2):
        with pytest.raises(ProductError) as refused:
            desk.make(request)
        assert refused.value.code == "moderation_refused"
        assert "another model" in refused.value.hint and "still" in refused.value.hint
        assert "pulid" not in f"{vars(refused.value)}{_said(desk)}".lower()
