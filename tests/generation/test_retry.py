"""The retry policy as a whole: what it may never do, over every sequence of failures."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.retry import LONGEST_WAIT_S, MOST_JOBS, MOST_SENDS, MOST_WAITS, Failed, Kind, decide

PLACE = "replicate/wan"
kinds = st.sampled_from(get_args(Kind))
failures = st.lists(
    st.builds(Failed, st.just(PLACE), kinds, st.booleans(), st.none() | st.floats(0, 5000)), min_size=1, max_size=12
)
flags = st.fixed_dictionaries({name: st.booleans() for name in ("synchronous", "elsewhere", "other_model", "fallback")})


@given(failures, flags)
def test_what_may_have_been_accepted_is_never_sent_again(given, options):
    last = given[-1]
    decision = decide(given, **options)
    if last.kind == "ambiguous" and not options["synchronous"]:
        assert decision.action == "ambiguous"
    if decision.action == "resend":
        assert not last.accepted
        assert last.kind in (
            ("rate_limit", "transient", "ambiguous") if options["synchronous"] else ("rate_limit", "transient")
        )


@given(failures, flags)
def test_a_bad_key_stops_everything_and_bad_input_is_said(given, options):
    decision = decide(given, **options)
    if given[-1].kind in ("auth", "billing"):
        assert decision.action == "halt"
    if given[-1].kind == "invalid_input" and not options["fallback"]:
        assert decision.action == "give_up"


@given(failures, flags)
def test_a_refused_prompt_never_goes_to_the_same_model(given, options):
    if given[-1].kind == "moderation":
        decision = decide(given, **options)
        assert decision.action in ("other_model", "give_up")
        if sum(one.kind == "moderation" for one in given) > 1 and not options["fallback"]:
            assert decision.action == "give_up"


@given(failures, flags)
def test_no_pause_is_endless_and_none_negative(given, options):
    assert 0 <= decide(given, **options).delay_s <= LONGEST_WAIT_S


@given(kinds, st.booleans(), flags)
def test_every_cause_is_given_up_in_the_end(kind, accepted, options):
    """A provider that fails the same way for ever is not asked for ever."""
    seen: list[Failed] = []
    for _ in range(MOST_WAITS + MOST_SENDS + MOST_JOBS + 3):
        seen.append(Failed(PLACE, kind, accepted))
        if decide(seen, **options).action not in ("resend", "again"):
            return
    pytest.fail(f"{kind} is tried for ever")


def test_a_provider_is_left_alone_for_as_long_as_it_asks():
    assert (
        decide(
            [Failed(PLACE, "rate_limit", retry_after_s=33.0)], synchronous=False, elsewhere=False, other_model=False
        ).delay_s
        == 33.0
    )


def test_an_accepted_job_that_fails_is_made_anew_and_counted():
    options = {"synchronous": False, "elsewhere": False, "other_model": False}
    seen = [Failed(PLACE, "transient", accepted=True)]
    assert decide(seen, **options).action == "again"
    assert decide(seen * MOST_JOBS, **options).action == "give_up"


def test_a_provider_that_takes_nothing_gives_way_to_another():
    seen = [Failed(PLACE, "transient")] * MOST_SENDS
    assert decide(seen, synchronous=False, elsewhere=True, other_model=False).action == "elsewhere"
