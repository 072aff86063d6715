"""Sets the equations of the pages as drawings, when the site is built: no script, no font, no network.

Pages write TeX between dollars, which is also what code hosts show. Readers of the screen hear the TeX.
"""

__all__ = ["on_page_content"]

import html
import re
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of how it opens its own font
    import ziamath

_SIZES = {"span": 17, "div": 18}  # beside text of 16 pixels
_EQUATION = re.compile(r'<(span|div) class="arithmatex">(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL)


def on_page_content(html: str, **_: object) -> str:  # named by MkDocs
    """The page with its equations drawn."""
    return _EQUATION.sub(lambda found: _draw(found[1], found[2]), html)


def _draw(element: str, escaped: str) -> str:
    tex = html.unescape(escaped).strip()
    equation = ziamath.Latex(tex, size=_SIZES[element], inline=element == "span", color="currentColor")
    # Depth below the line of writing, by which an equation within text is lowered.
    shift = f' style="vertical-align:{equation.getyofst():.2f}px"' if element == "span" else ""
    drawing = equation.svg().replace("<svg ", f'<svg aria-hidden="true"{shift} ', 1)
    label = html.escape(tex, quote=True)
    return f'<{element} class="equation" role="img" aria-label="{label}">{drawing}</{element}>'
