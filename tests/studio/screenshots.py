"""Takes the pictures of the studio in docs/images anew: python -m tests.studio.screenshots."""

import io
import math
import os
import re
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.programs import missing
from tests.service.live import LiveServer
from tests.studio.conftest import ZOO, executable

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESK = {"width": 1360, "height": 960}
TALL = {"width": 1360, "height": 1230}
WHOLE = {"width": 1360, "height": 1650}  # the canvases, and one of them opened
PHONE = {"width": 390, "height": 844}


def draw(page: Page, url: str) -> None:
    page.goto(f"{url}/#draw?model=gran5-mnist&n=12&steps=5&seed=2")
    page.get_by_text("12 canvases in").wait_for()
    page.get_by_text("ten test digits").wait_for()
    page.get_by_role("radio", name="Change").check()
    page.get_by_label("Step back and forth").fill("3")


def draw_on_a_phone(page: Page, url: str) -> None:
    page.goto(f"{url}/#draw?model=pixelvae-mnist&n=9&steps=14&seed=4&judge=gran5-mnist")
    page.get_by_text("9 canvases in").wait_for()
    page.get_by_role("radio", name="Settled").check()
    page.locator(".stage").evaluate("stage => stage.scrollIntoView()")


def explore(page: Page, url: str) -> None:
    page.goto(f"{url}/#explore?way=map&model=vae2d-mnist&x=0.6&y=-0.4")
    page.get_by_text("144 pictures, here after").wait_for()


def autoencode(page: Page, url: str) -> None:
    page.goto(f"{url}/#autoencode?model=pixelvae-mnist&samples=8&seed=7")
    page.locator(".redraw-facts", has_text="drawings in").wait_for()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    for index in range(41):  # a three: two arcs, one above the other
        upper = index <= 20
        turn = (index % 20) / 20 if index not in (20, 40) else 1.0
        angle = math.pi * (-0.85 + 1.35 * turn if upper else -0.5 + 1.35 * turn)
        x = 0.5 + 0.2 * math.cos(angle)
        y = (0.33 if upper else 0.66) + (0.16 if upper else 0.17) * math.sin(angle)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if index == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_url(re.compile("picture="))
    page.locator(".redraw-facts", has_text="drawings in").wait_for()
    page.get_by_text("The greatest surprise").wait_for()


def attention(page: Page, url: str) -> None:
    page.goto(f"{url}/#autoencode?model=draw-mnist&samples=8&seed=3&digit=7")
    page.get_by_text("The greatest surprise").wait_for()
    page.locator(".redraw-facts", has_text="drawings in").wait_for()  # nothing plays any more
    page.get_by_label("Step back and forth").fill("9")
    page.wait_for_timeout(300)


def arena(page: Page, url: str) -> None:
    page.goto(f"{url}/#arena?a=gran5-mnist&b=wgan-gp-mnist&n=12&seed=4")
    page.get_by_text("12 drawings of each").wait_for()


def server(page: Page, url: str) -> None:
    page.goto(f"{url}/#server")
    for way in ("at once", "one after another"):
        page.get_by_role("button", name=way).click()
        page.get_by_role("button", name=way, disabled=False).wait_for()
    page.get_by_role("button", name="Keep sending").click()
    page.wait_for_timeout(8000)


SHOTS = (
    ("studio-draw.png", draw, WHOLE, "dark"),
    ("studio-autoencode.png", autoencode, DESK, "light"),
    ("studio-attention.png", attention, DESK, "light"),
    ("studio-explore.png", explore, DESK, "dark"),
    ("studio-arena.png", arena, TALL, "dark"),
    ("studio-server.png", server, DESK, "light"),
    ("studio-phone.png", draw_on_a_phone, PHONE, "dark"),
)


def main() -> None:
    """Takes all pictures, or those that the command line names."""
    wanted = sys.argv[1:] or [name for name, *_ in SHOTS]
    live = LiveServer(ZOO)
    try:
        with sync_playwright() as playwright:
            path = executable(playwright)
            if path is None:
                raise SystemExit(missing("chromium"))
            args = ["--hide-scrollbars", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
            browser = playwright.chromium.launch(executable_path=path, args=args)
            for name, show, size, colours in (shot for shot in SHOTS if shot[0] in wanted):
                page = browser.new_page(viewport=size, color_scheme=colours)
                show(page, live.http)
                page.mouse.move(0, 0)
                page.evaluate("document.activeElement.blur()")
                page.wait_for_timeout(300)  # colours have settled
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                # Half as large, and nobody sees it: these are a few colours and greys.
                few = picture.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                few.save(IMAGES / name, optimize=True)
                print(f"{name}: {(IMAGES / name).stat().st_size / 1000:.0f} kB")
                page.close()
            browser.close()
    finally:
        live.close()


if __name__ == "__main__":
    main()
