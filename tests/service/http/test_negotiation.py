"""The negotiation table."""

import pytest

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.http.negotiation import Answer, choose_answer


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, Answer.JSON),
        ("", Answer.JSON),
        ("*/*", Answer.JSON),
        ("*", Answer.JSON),
        ("application/json", Answer.JSON),
        ("APPLICATION/JSON; charset=utf-8", Answer.JSON),
        ("application/*", Answer.JSON),
        ("text/event-stream", Answer.SSE),
        ("text/*", Answer.SSE),
        ("application/x-ndjson", Answer.NDJSON),
        ("image/png", Answer.PNG),
        ("image/*", Answer.PNG),
        ("image/gif", Answer.GIF),
        ("image/apng", Answer.APNG),
        ("application/x-npy", Answer.NPY),
        # q-values
        ("image/png;q=0.5, image/gif", Answer.GIF),
        ("image/png; q=0.5, image/gif; q=0.4", Answer.PNG),
        ("application/json;q=0, */*", Answer.SSE),
        ("image/*, image/png;q=0.1", Answer.GIF),  # the more specific range counts for PNG
        ("*/*;q=0.1, application/x-npy", Answer.NPY),
        ("text/html, application/xhtml+xml, image/avif, image/webp, */*;q=0.8", Answer.JSON),  # a browser
        ("text/html, image/png", Answer.PNG),
        ("application/json;q=0.9, text/event-stream;q=0.9", Answer.JSON),  # a tie goes to the server's order
        # what cannot be read matches nothing
        ("nonsense, image/gif", Answer.GIF),
        ("image/png;q=high, image/gif;q=0.1", Answer.GIF),
        ("image/png;q=7, image/gif;q=0.1", Answer.GIF),
    ],
)
def test_table(accept, chosen):
    assert choose_answer(accept) is chosen


@pytest.mark.parametrize(
    "accept", ["text/html", "image/webp", "application/json;q=0", "*/*;q=0", "nonsense", "image/png;q=nan"]
)
def test_what_nothing_serves_is_refused_with_the_list(accept):
    with pytest.raises(PentimentoError) as caught:
        choose_answer(accept)
    assert caught.value.code is Code.NOT_ACCEPTABLE
    for answer in Answer:
        assert answer.value in caught.value.message
    assert accept in caught.value.message
