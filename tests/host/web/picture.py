"""A picture of a live page, for READMEs: `python tests/host/web/picture.py URL FILE` (`--help` for the rest).

In: the URL of a running page. Out: a PNG. Draws with the processor where there is no graphics card; `?fine` keeps it sharp.
"""

import argparse
import os
import shutil
import time

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",  # as on a machine without a graphics card
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Path of a Chromium: PULSEWEAVE_CHROMIUM or the machine's own."""
    return os.environ.get("PULSEWEAVE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def eventually(page, condition: str, seconds: float = 30):
    """Asked from outside, because the page's own security policy forbids it to evaluate strings."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        page.wait_for_timeout(50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file")
    parser.add_argument("--size", default="1600x900")
    parser.add_argument("--after", type=float, default=20.0, help="seconds to watch before the picture")
    parser.add_argument("--lean", type=int, help="index of the strand to lean towards")
    parser.add_argument("--upset", action="store_true", help="upset half of the crowd halfway")
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright

    width, height = map(int, chosen.size.split("x"))
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(chosen.url + ("&" if "?" in chosen.url else "?") + "fine")
        page.wait_for_timeout(chosen.after * 500)
        if chosen.upset:
            page.evaluate("window.pulseweave.link.send({do: 'upset', fraction: 0.5})")
        page.wait_for_timeout(chosen.after * 500)
        if chosen.lean is not None:
            page.evaluate(f"window.pulseweave.leanTo({chosen.lean})")
            page.wait_for_timeout(1500)
        else:
            page.evaluate("document.body.classList.remove('awake')")
            page.wait_for_timeout(1500)
        page.screenshot(path=chosen.file)
        print(page.evaluate("({...window.pulseweave.stats})"))
        browser.close()


if __name__ == "__main__":
    main()
