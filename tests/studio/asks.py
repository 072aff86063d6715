"""Checks of a page that several tests of the studio make."""

__all__ = ["COLOURS", "NARROW", "accessibility_faults", "canvas_sums", "layout_shifts", "watch_layout"]

from axe_playwright_python.sync_playwright import Axe

COLOURS = ("light", "dark")
NARROW = {"width": 360, "height": 780}  # a small phone


def accessibility_faults(page) -> list[str]:
    """Violations of WCAG and good practice that axe-core finds, a line each."""
    page.wait_for_timeout(100)  # transitions of colours are over: axe measures contrast as it is
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:160]}" for fault in found for node in fault["nodes"]
    ]


def canvas_sums(page, selector: str) -> list[int]:
    """The sum of all pixel values of each canvas element found: 0 is black or empty."""
    return page.eval_on_selector_all(
        selector,
        """canvases => canvases.map(canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let sum = 0;
            for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
            return sum;
        })""",
    )


def watch_layout(page) -> None:
    """Starts counting layout shifts from the next navigation on."""
    page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver(list => {
            for (const entry of list.getEntries()) {
                if (entry.hadRecentInput) continue;
                const nodes = entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80));
                window.shifts.push({ value: entry.value, nodes });
            }
        }).observe({ type: "layout-shift", buffered: true });"""
    )


def layout_shifts(page) -> list[dict]:
    """The layout shifts so far that no input of the user caused, each with what moved."""
    return page.evaluate("window.shifts")
