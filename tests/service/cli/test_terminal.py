"""Pictures in a terminal: they fit, they keep their shape, and two pixels make a character."""

import io
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pentimento.service.cli.terminal import DrawingView, Pictures, lay_out
from pentimento.service.messages import Frame, Header, ScoredBy, Scores

HEADER = Header(model="toy", version="1.0.0", seed=7, n=2, steps=2)


def console(width=40, height=20, **options) -> Console:
    options = {"force_terminal": True, "color_system": "truecolor", "legacy_windows": False} | options
    return Console(file=io.StringIO(), width=width, height=height, **options)


def lines(canvas: np.ndarray, **options) -> list[str]:
    target = console(**options)
    target.print(Pictures(canvas.astype(np.float32)), end="")
    return target.file.getvalue().splitlines()


@given(
    n=st.integers(1, 200),
    side=st.tuples(st.integers(1, 256), st.integers(1, 256)),
    room=st.tuples(st.integers(4, 80), st.integers(10, 250)),
)
def test_pictures_fit_into_the_room(n, side, room):
    layout = lay_out(n, side, room)
    rows = ceil(layout.shown / layout.columns)
    assert 1 <= layout.shown <= n
    assert layout.height % 2 == 0
    slim = side[1] > 20 * side[0] or side[0] > 20 * side[1]  # then a pixel is the least that is left
    if not slim:
        assert layout.columns * (layout.width + 1) - 1 <= room[1]
        assert rows * (layout.height // 2 + 1) - 1 <= room[0] + 1
        if min(layout.width, layout.height) >= 8:
            assert layout.width / layout.height == pytest.approx(side[1] / side[0], rel=0.3)


def test_digits_in_an_ordinary_terminal_keep_a_readable_size():
    layout = lay_out(8, (28, 28), (19, 80))
    assert (layout.shown, layout.columns) == (8, 4)
    assert layout.width >= 16


def test_a_character_has_two_pixels():
    canvas = np.zeros((1, 3, 2, 3))
    canvas[0, 0, 0, 0] = 1  # red above black
    canvas[0, 2, 1, 2] = 1  # black above blue
    assert lay_out(1, (2, 3), (1, 3)).width == 3
    text = lines(canvas, width=3, height=6)
    assert text == [
        "\x1b[38;2;255;0;0;48;2;0;0;0m▀\x1b[0m\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[0m"
        "\x1b[38;2;0;0;0;48;2;0;0;255m▀\x1b[0m"
    ]


def test_without_colours_brightness_becomes_characters():
    canvas = np.linspace(0, 1, 10).reshape(1, 1, 1, 10).repeat(2, axis=2)
    assert lines(canvas, width=10, height=6, color_system=None) == [" .:-=+*#%@"]
    assert lines(canvas, width=10, height=6, no_color=True) == [" .:-=+*#%@"]


def test_what_does_not_fit_is_said():
    assert "of 500 images" in lines(np.zeros((500, 1, 28, 28)))[-1]


def test_not_a_terminal_gets_plain_lines():
    target = console(force_terminal=False, color_system=None)
    scores = Scores(
        kind="discriminator",
        logit=np.zeros(2, np.float32),
        probability=np.array([0.25, 1.0], np.float32),
    )
    with DrawingView(target) as view:
        view.begin(HEADER)
        assert view.show(Frame(step=1, canvas=np.zeros((2, 1, 4, 4), np.float32), scores=scores)) == 0.0
    assert target.file.getvalue() == "toy 1.0.0, seed 7\nstep 1 of 2; real? 25% 100%\n"


@pytest.mark.parametrize(
    ("kind", "title", "line"),
    [
        ("discriminator", "scored by judge 3.2.1, a discriminator", "step 1 of 2; real? 27% 100%"),
        (
            "critic",
            "scored by judge 3.2.1, a critic: more is more real, no probability",
            "step 1 of 2; critic -1.00 250.50",
        ),
    ],
)
def test_a_critics_score_is_shown_as_a_number_and_never_as_a_percentage(kind, title, line):
    logit = np.array([-1, 250.5], np.float32)
    probability = 1 / (1 + np.exp(-logit)) if kind == "discriminator" else None
    frame = Frame(
        step=1,
        canvas=np.zeros((2, 1, 4, 4), np.float32),
        scores=Scores(kind=kind, logit=logit, probability=probability),
    )
    by = ScoredBy(model="judge", version="3.2.1", kind=kind)
    target = console(force_terminal=False, color_system=None, width=200)
    with DrawingView(target) as view:
        view.begin(Header(model="toy", version="1.0.0", seed=7, n=2, steps=2, scored_by=by))
        view.show(frame)
    assert target.file.getvalue().splitlines() == [f"toy 1.0.0, seed 7; {title}", line]


def test_a_quick_drawing_is_slowed_down_for_the_eye_but_not_for_long():
    canvas = np.zeros((1, 1, 4, 4), np.float32)
    with DrawingView(console()) as view:
        view.begin(HEADER)
        assert 0 < view.show(Frame(step=1, canvas=canvas)) <= 0.25
    long = Header(model="toy", version="1.0.0", seed=7, n=1, steps=1000)
    with DrawingView(console()) as view:
        view.begin(long)
        assert view.show(Frame(step=1, canvas=canvas)) <= 0.0015
