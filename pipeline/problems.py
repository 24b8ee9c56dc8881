"""Every problem that a user can meet: its stable code, what it means, and what to do about it.

The one list. A code that is not here is not used (a test walks the source), and docs/problems.md is written from it.
Whoever raises a failure may say something more fitting; `hint_of` is what is said where nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`means` completes "It means that …"; `hint` is said to the user as it stands."""

    means: str
    hint: str


PROBLEMS: dict[str, Problem] = {
    # --- What was asked ---------------------------------------------------------------------------
    "bad_request": Problem("the request cannot be read", "Send it as the API's description says."),
    "invalid_input": Problem("something that was given cannot be used; `field` names it", "Correct it and try again."),
    "unsupported_media_type": Problem("the body is of a kind that is not taken there", "Send the kind that is named."),
    "too_large": Problem("what was sent is larger than is taken", "Send something smaller."),
    "method_not_allowed": Problem("the address does not take this kind of request", "Use a method that Allow names."),
    "range_not_satisfiable": Problem("a part of a file was asked for that it does not have", "Ask from its beginning."),
    "timeout": Problem("the request took too long to arrive", "Send it again."),
    "not_found": Problem(
        "there is nothing of that name or number", "It may have been deleted: reload, and look again."
    ),
    "conflict": Problem("the request does not fit the present state", "Look at how it stands now, then try again."),
    "stale_version": Problem(
        "somebody else has changed it since it was read", "Read it again and make your change to what it is now."
    ),
    "forbidden": Problem(
        "the request comes from where it may not come from", "Use the page or address of this server."
    ),
    "wrong_host": Problem(
        "the server was called by a name that is not its own",
        "Open it as http://127.0.0.1, or set PUBLIC_URL to the address it is reached by.",
    ),
    "login_required": Problem(
        "the server has a passphrase, and this client is not logged in", "Log in (POST /api/login), then try again."
    ),
    "wrong_passphrase": Problem("the passphrase is not the server's", "Type the APP_PASSPHRASE of the server."),
    "too_many_attempts": Problem(
        "a wrong passphrase was given too often", "Wait as long as it says; who is logged in stays so."
    ),
    "wrong_token": Problem(
        "the bearer token is missing or wrong", "Send the server's HERMES_TOKEN as Authorization: Bearer."
    ),
    "hermes_closed": Problem(
        "the automation client's routes are closed", "Set HERMES_TOKEN on the server and start it again."
    ),
    "address_forbidden": Problem(
        "an address leads where nothing of a provider's can be (a private network, say)",
        "Choose another model or provider; if it lives on this machine, set its base URL to a local address.",
    ),
    "insufficient_credits": Problem(
        "the price of an item is more than the credits that are left",
        "Grant credits (POST /api/credits/grants), or ask for something cheaper.",
    ),
    "usage_limit": Problem("so many items of this type are not made in one day", "Try again tomorrow."),
    # --- This machine -----------------------------------------------------------------------------
    "internal": Problem("something went wrong that should not have", "Try again; the log has the details."),
    "needs_setup": Problem(
        "a key, a file or a package is missing", "Run `python -m pipeline doctor` to see what is missing."
    ),
    "cancelled": Problem("the work was stopped on demand", "Start or resume it when it is to go on."),
    "shutting_down": Problem("the program is ending", "Start it again; films go on where they were."),
    "too_many_streams": Problem(
        "too many pages watch at once", "Close some of them, or ask for the events by polling."
    ),
    "disk_full": Problem("there is no room left on the disk", "Free some space, then resume; nothing is lost."),
    "store_unavailable": Problem(
        "the database or the media folder cannot be used", "See that DATA_DIR can be written, then start again."
    ),
    "store_damaged": Problem(
        "the database is damaged and is left untouched", "Bring back a backup with `python -m server restore`."
    ),
    "store_waiting": Problem(
        "another program holds the database", "Close it if this takes long; nothing is lost meanwhile."
    ),
    "data_folder_in_use": Problem(
        "another process works in the data folder", "Stop the other one, or set DATA_DIR to another folder."
    ),
    "media_missing": Problem("a file that belongs to the film is gone", "Make it again, or bring back a backup."),
    "engine_failed": Problem(
        "a built-in engine or ffmpeg failed", "Try again; `python -m pipeline doctor` tests them."
    ),
    "engine_timeout": Problem("a built-in engine took too long", "Try again when the machine has less to do."),
    "bad_media": Problem("a file is damaged or not what it should be", "Use another file, or make it again."),
    # --- The film ---------------------------------------------------------------------------------
    "stage_failed": Problem(
        "a step without which the film cannot go on has failed", "Read its problems, then start again."
    ),
    "scene_without_shots": Problem("a scene could not be filmed", "Edit the scene's text, then start again."),
    "writer_fault": Problem("the writer broke a rule of its own", "Try again, or edit that part of the text."),
    "edits_kept": Problem(
        "a step would have written over what was edited by hand, and has left it",
        "Nothing needs to be done; to have it written anew, take the edits back first.",
    ),
    "no_frame": Problem("a shot has no picture to start its clip from", "Make the shot's frame first."),
    "no_face": Problem(
        "no face was found whose lips could move", "Keep the plain clip, or choose paid lip sync for the shot."
    ),
    "short_clip": Problem(
        "a clip is shorter than its shot, so its last picture is held", "Make the clip again if it disturbs."
    ),
    "missing_clip": Problem("a shot has no clip, so its still is shown", "Make the shot's clip, then the film again."),
    "missing_picture": Problem(
        "a shot has neither clip nor picture, so a plain card is shown", "Make the shot's frame, then the film again."
    ),
    "letters_missing": Problem(
        "captions in the picture need letters that no font here has, so they are missing there",
        "Show the captions as a track, which has all of them.",
    ),
    "preview_used": Problem(
        "some parts were made by the built-in engines", "Add a provider's key to make them in full quality."
    ),
    "text_degraded": Problem("the language model serves, but slowly", "Add OPENROUTER_API_KEY."),
    # --- Work at providers ------------------------------------------------------------------------
    "bad_answer": Problem(
        "a language model's answer cannot be used", "Try again, change the text, or choose another model."
    ),
    "moderation_refused": Problem(
        "a provider, or our own check, refuses the work for its content",
        "Soften the prompt, swap the reference pictures, or choose another model; for a clip, the still can stand in.",
    ),
    "moderation_unavailable": Problem(
        "no checker could say whether a picture or clip may be shown, so it stays hidden",
        "Resume the film when the checker is there again: it is checked again, and not made or paid again.",
    ),
    "provider_auth": Problem(
        "a provider does not accept the key", "Put the provider's key right, start the program again, then resume."
    ),
    "provider_billing": Problem(
        "a provider's account has no credit", "Add credit to the provider's account, then resume."
    ),
    "provider_rate_limit": Problem(
        "a provider asks to be left alone for longer than is waited", "Resume later, or choose another model."
    ),
    "provider_invalid_input": Problem(
        "a provider cannot take this request", "Change the prompt, the pictures or the model."
    ),
    "provider_unavailable": Problem(
        "a provider does not answer, or fails", "Try again later, or choose another model; what is done is kept."
    ),
    "provider_timeout": Problem(
        "a provider has had the work for too long", "Resume the film: it is looked at again, and nothing is paid twice."
    ),
    "submit_ambiguous": Problem(
        "the answer to a paid request was lost, so the work may be under way",
        "Look at your account there, then have it sent again or give it up.",
    ),
    "queue_halted": Problem(
        "a provider refuses all work, so nothing more is sent to it", "Put the cause right, then resume."
    ),
    "budget_reached": Problem(
        "the next piece of work would cost more than is left",
        "Raise the project's budget or SPEND_CAP_CENTS, then resume; what is done is kept.",
    ),
    "download_failed": Problem(
        "a finished, paid result could not be fetched",
        "Resume the film: it is fetched again, and nothing is paid twice.",
    ),
    "result_expired": Problem("a result is no longer at the provider", "Make it again."),
    "abandoned": Problem("a request whose answer was lost was given up", "Ask for it again when it is wanted."),
    "abandoned_before": Problem("the same, and it has been asked for again since", "Nothing needs to be done."),
    "asked_again": Problem("a request whose answer was lost is to be sent again", "Nothing needs to be done."),
    "superseded": Problem("a request that nothing waits for any more was not sent", "Nothing needs to be done."),
    "interrupted": Problem("the program ended before an answer came", "Resume the film: the question is asked again."),
}


def hint_of(code: str) -> str:
    """What to do about it, where whoever raised it has nothing better to say."""
    known = PROBLEMS.get(code)
    return known.hint if known else ""
