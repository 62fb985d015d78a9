"""Checks of our own beside those of Schemathesis."""

import schemathesis

# Codes that say that a request does not have the form that the description asks for.
FORM = {"H0400", "H0413", "H0415", "H0422"}
# What a schema cannot say. Each is a refusal of the content under a code of form.
CONTENT = (
    # A cursor is opaque, and belongs to one listing with its filters.
    "cursor: expected",
    # One of several, depending on each other or on the caller's role.
    "expected one of sample, sampleBase64 and run",
    "partner: expected the partner's id",
    "verdict: expected approve, reject or return",
    # Of a file and of its beginning.
    "size: the file cannot be smaller",
    # The name in the path and the one in the texts.
    "expected the texts of pipeline",
    # JSON Schema takes 2.0 for an integer, and has integers without end; the API does not.
    "invalid type: floating point",
    "number too large to fit in target type",
    # Schemathesis sends `0` for these headers, whatever pattern they have.
    "expected one If-Match",
)


@schemathesis.check
def a_fitting_request_is_not_refused_for_its_form(_context, response, case):
    """Whoever follows the description is never told that the request has the wrong form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 413, 415, 422):
        return
    problem = response.json()
    if problem["code"] not in FORM or problem.get("mistakes") or any(text in problem["detail"] for text in CONTENT):
        return
    raise AssertionError(f"refused for its form: {problem['code']} {problem['detail']}")


@schemathesis.check
def the_limit_is_not_met(_context, response, _case):
    """An answer of 429 would hide what the other checks look for."""
    if response.status_code == 429:
        raise AssertionError("the rate limit was met: set SLUICE_CALLER_BURST higher")
