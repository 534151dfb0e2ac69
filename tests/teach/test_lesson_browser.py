"""The pages in a real browser: what lights up, what keys do, what a screen reader finds, and that nothing gets out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nngen.language import document
from nngen.language import spec as specs
from nngen.language.extents import step_path
from nngen.pipeline import Compilation
from nngen.proof.options import Conditions
from nngen.proof.report import Report, Row, StepRow
from nngen.teach.lesson.site import Site
from tests.conftest import find

pytestmark = pytest.mark.needs("browser")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
NET = """\
name: Net
doc: A net with a block, a row of layers and a line.
args: {classes: 3}
input: [4, 8, 8]
blocks:
  Pair: # of layers
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 3, padding: 1}
      - BatchNorm2d as norm
layers:
  - Conv2d as stem: {out_channels: 6, kernel_size: 3}
  - Pair as pair: {}
  - x = stem + pair
  - Sequential as head: [Flatten, {Linear: 5}, Tanh]
  - Linear as last: classes
loss: CrossEntropyLoss
"""
PLACES = (
    *("model", "args-classes", "input", "blocks-Pair", "blocks-Pair-layers-0"),
    *("blocks-Pair-layers-1", "layers-0", "layers-1", "layers-2", "layers-3"),
    *("layers-3-0", "layers-3-1", "layers-3-2", "layers-4", "loss"),
)
# As many steps as there are colours.
MANY = "name: Many\ninput: [4]\nlayers:\n" + "".join(
    f"  - {'Linear: 4' if i % 2 else 'ReLU'} # {i}\n" for i in range(24)
)
LONG = "name: Long\ninput: [4]\nlayers:\n" + "  - Linear: 4\n  - ReLU\n" * 60
HOSTILE = """\
# <script>hacked = 1</script> </pre><img src=x onerror="hacked = 1">
name: Hostile
doc: '<script>hacked = 1</script> " onmouseover="hacked = 1" &lt;b&gt; {{ 7 * 7 }} </style>'
input: [4]
layers:
  - "Linear as up": 8 # --> </span><svg onload=hacked=1>
  - "\\x52eLU" # <a href="javascript:hacked=1">x</a>
"""
HOSTILE_FILE = "hostile.<img src=x onerror=hacked=1>.yaml"


def report() -> Report:
    """What verification may find for NET."""
    rows = [Row(what, "train", "train, grad", 12, True) for what in ("outputs", "loss")]
    steps = (StepRow("layers[0]", "net.yaml:11:5", 24, True),)
    return Report("Net", tuple(rows), (), ("a note",), (), Conditions(), "2.9", steps=steps)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of small specs."""
    folder = tmp_path_factory.mktemp("site")
    site = Site(folder, "en")
    for name, text in {"many": MANY, "long": LONG, "hostile": HOSTILE, "net": NET}.items():
        path = folder / (HOSTILE_FILE if name == "hostile" else f"{name}.yaml")
        path.write_text(text)
        site.prove = (lambda path: report()) if name == "net" else None
        site.spec(path)
    site.course()
    site.pitfalls()
    site.index()
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find("browser"), args=FLAGS)
        yield browser
        browser.close()


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Opener]:
    """Opens a page; afterwards nothing may have been logged, nor asked for but the page itself."""
    contexts = []
    heard: list[str] = []

    def open_page(
        name: str, width: int = 1400, height: int = 800, theme: Any = "light", **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(f"{folder.as_uri()}/{name}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [
        each for each in heard if not re.match(r"file:[^?#]*\.html([?#].*)?$|data:", each)
    ] == []


def lit(page: Page, pane: str, kind: str = "on") -> list[str]:
    """What is marked in a pane: whole lines, and parts of others."""
    cell = {"nn_style.py": "td:nth-child(2)", "functional_style.py": "td:nth-child(3)"}
    if pane == "spec":
        query = f".spec .l.{kind}, .spec .l:not(.{kind}) b.{kind}"
    else:
        query = f"tr.{kind} {cell[pane]} .l, tr:not(.{kind}) {cell[pane]} b.{kind}"
    texts = page.eval_on_selector_all(query, "found => found.map(each => each.textContent.trim())")
    return [text for text in texts if text]


def made(path: str, file: str) -> list[str]:
    """The lines of a file of which the source map says that a step of NET, or what is in it, made them."""
    traced = Compilation(specs.from_node(document.parse(NET, "net.yaml"), "net.yaml")).source_map
    lines = traced.files[file].text.splitlines()
    inside = [
        mark is not None and f"{step_path(mark.path)}.".startswith((f"{path}.", f"{path}["))
        for mark in traced.files[file].lines
    ]
    return [line.strip() for line, here in zip(lines, inside, strict=True) if here]


def seen(page: Page, query: str) -> bool:
    """Whether one of the elements is in view, its pane's and the window's."""
    return page.eval_on_selector_all(
        query,
        """found => found.some(element => {
          const box = element.getBoundingClientRect(), pane = element.closest("section").getBoundingClientRect();
          return box.top >= pane.top && box.top < pane.bottom && box.top >= 0 && box.top < innerHeight;
        })""",
    )


# What lights up


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("blocks-Pair-layers-1", "blocks.Pair.layers[1]"),
        ("layers-0", "layers[0]"),
        ("layers-1", "layers[1]"),
        ("layers-2", "layers[2]"),
        ("layers-3", "layers[3]"),
        ("layers-4", "layers[4]"),
        ("loss", "loss"),
    ],
)
def test_a_permalink_opens_at_its_step(opened: Opener, place: str, path: str) -> None:
    page = opened(f"net.html#{place}")
    for file in ("nn_style.py", "functional_style.py"):
        assert lit(page, file) == made(path, file)
    assert page.locator("article:visible").get_attribute("id") == place
    assert len(lit(page, "spec")) == 1
    assert seen(page, ".spec .on") and seen(page, ".code .on")


def test_hovering_lights_up_all_panes(opened: Opener) -> None:
    page = opened("net.html")
    page.locator(".spec .l", has_text="x = stem + pair").hover()
    for pane in ("nn_style.py", "functional_style.py"):
        assert lit(page, pane, "lit") == ["x = stem + pair"]
    page.locator(".code td:nth-child(3) .l", has_text="F.batch_norm").hover()
    assert lit(page, "spec", "lit") == ["- BatchNorm2d as norm"]
    assert "self.norm = nn.BatchNorm2d(in_channels)" in lit(page, "nn_style.py", "lit")
    assert "x = self.norm(x)" in lit(page, "nn_style.py", "lit")
    assert lit(page, "nn_style.py") == []
    page.locator(".top h1").hover()
    assert lit(page, "spec", "lit") == []


def test_a_part_of_a_line_lights_up(opened: Opener) -> None:
    page = opened("net.html")
    page.locator(".spec b", has_text="Linear").hover()
    assert lit(page, "spec", "lit") == ["{Linear: 5}"]
    assert lit(page, "nn_style.py", "lit") == ["nn.Linear(216, 5)"]
    assert "x = F.linear(x, self.head_1_weight, self.head_1_bias)  # (N, 5)" in lit(
        page, "functional_style.py", "lit"
    )


def test_clicking_code_explains_its_step(opened: Opener) -> None:
    page = opened("net.html")
    page.locator(".code td:nth-child(2) .l", has_text="x = self.last(x)").click()
    detail = page.locator("article:visible")
    assert detail.get_attribute("id") == "layers-4"
    assert "F.linear" in detail.inner_text()
    assert "(1, 5) → (1, 3)" in detail.inner_text()
    assert page.url.endswith("#layers-4")


def test_both_files_are_aligned(opened: Opener) -> None:
    page = opened("net.html")
    tops = page.eval_on_selector_all(
        "tr[data-s]",
        "rows => rows.map(row => [...row.cells].map(cell => cell.getBoundingClientRect().top))",
    )
    assert len(tops) > 15
    assert all(len(set(row)) == 1 for row in tops)


def test_what_is_far_away_comes_into_view(opened: Opener) -> None:
    page = opened("long.html")
    page.keyboard.press("j")
    assert seen(page, ".spec .on") and seen(page, ".code .on")
    page.locator(".spec a[href='#layers-119']").click()
    assert seen(page, ".spec .on") and seen(page, ".code .on")
    page.locator(".spec a[href='#layers-60']").hover()
    page.wait_for_timeout(300)
    assert seen(page, ".code .lit")


# Keys, links, and what a screen reader is told


def test_keys_walk_through_the_steps(opened: Opener) -> None:
    page = opened("net.html")
    current = page.locator("article:visible")
    at = 0
    for key, step in (
        ("j", 1),
        ("j", 1),
        ("ArrowDown", 1),
        ("k", -1),
        ("ArrowUp", -1),
        ("ArrowDown", 1),
    ):
        page.keyboard.press(key)
        at += step
        expect(current).to_have_id(PLACES[at])
        focused = page.locator(":focus")
        assert focused.get_attribute("href") == f"#{PLACES[at]}"
        assert focused.get_attribute("aria-current") == "true"
        assert page.locator(".spec a[tabindex='0']").count() == 1
        assert page.url.endswith(f"#{PLACES[at]}")
    page.keyboard.press("End")
    expect(current).to_have_id(PLACES[-1])
    page.keyboard.press("j")
    expect(current).to_have_id(PLACES[-1])
    page.keyboard.press("Home")
    expect(current).to_have_id("model")
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    expect(current).to_have_id("model")


def test_the_steps_are_those_of_the_spec(opened: Opener) -> None:
    page = opened("net.html")
    links = page.locator(".spec a[data-s]").all()
    assert [link.get_attribute("href") for link in links] == [f"#{place}" for place in PLACES]
    assert tuple(page.eval_on_selector_all("article", "all => all.map(each => each.id)")) == PLACES


def test_one_tab_stop_leads_to_the_steps(opened: Opener) -> None:
    page = opened("net.html")
    stops = []
    for _ in range(9):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('section')?.className ?? ''"))
    assert stops.count("spec") == 1


def test_a_screen_reader_is_told_the_step(opened: Opener) -> None:
    page = opened("net.html")
    page.keyboard.press("j")
    page.keyboard.press("End")
    assert page.locator("[role=status]").inner_text().startswith("loss: CrossEntropyLoss: ")


def test_back_and_next_are_links(opened: Opener) -> None:
    page = opened("net.html#layers-1")
    current = page.locator("article:visible")
    current.get_by_text("next").click()
    expect(current).to_have_id("layers-2")
    current.get_by_text("back").click()
    expect(current).to_have_id("layers-1")
    current.get_by_text("overview").click()
    expect(current).to_have_id("model")


@pytest.mark.needs("dot")
def test_the_picture_leads_to_the_steps(opened: Opener) -> None:
    page = opened("net.html")
    assert page.locator(".picture svg a").count() == 7
    page.locator(".picture svg a", has_text="stem").first.click()
    expect(page.locator("article:visible")).to_have_id("layers-0")


# Languages and colours


def test_the_language_switch(opened: Opener) -> None:
    page = opened("net.html#layers-0")
    detail = page.locator("article:visible")
    chinese = re.compile("[\u4e00-\u9fff]")
    assert not chinese.search(detail.inner_text())
    page.get_by_text("简体中文").click()
    assert "参数" in detail.inner_text() and "Parameters" not in detail.inner_text()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.reload()
    assert "参数" in detail.inner_text()
    page.get_by_text("English").click()
    assert not chinese.search(detail.inner_text())
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_address_chooses_the_language(opened: Opener) -> None:
    assert "常见错误" in opened("pitfalls.html?language=zh").locator("h1").inner_text()


def test_the_colours_follow_the_system_or_the_switch(opened: Opener) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light, dark = opened("net.html"), opened("net.html", theme="dark")
    assert ground(light) != ground(dark)
    light.locator("label", has_text="dark").click()
    assert ground(light) == ground(dark)
    dark.locator("label", has_text="light").click()
    assert ground(dark) == "rgb(255, 255, 255)"


# Without a script, on a phone, for all


def test_without_a_script_all_can_be_read(opened: Opener) -> None:
    page = opened("net.html", java_script_enabled=False)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("article:visible").count() == len(PLACES)
    assert page.locator(".code .l:visible").count() > 60
    colours = page.locator("tr", has_text="self.stem = ").locator("td").nth(1)
    assert colours.evaluate("cell => getComputedStyle(cell).backgroundColor") != "rgba(0, 0, 0, 0)"
    page.locator(".code th a").nth(5).click()
    page.get_by_text("简体中文").click()
    assert "参数" in page.locator("#layers-0").inner_text()


@pytest.mark.parametrize(
    "name", ["net.html", "index.html", "pitfalls.html", "04-train-and-eval.html"]
)
def test_a_narrow_page_has_no_sideways_scroll(opened: Opener, name: str) -> None:
    page = opened(name, width=320, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_on_a_phone_the_step_stays_in_sight(opened: Opener) -> None:
    page = opened("long.html", width=390, height=800, has_touch=True)
    page.locator(".spec a[href='#layers-80']").tap()
    line = page.locator(".spec .on").bounding_box()
    sheet = page.locator(".steps").bounding_box()
    assert line and sheet and 0 <= line["y"] < sheet["y"]
    assert sheet["y"] + sheet["height"] <= 801
    page.locator("article:visible .close").tap()
    assert page.locator(".steps").evaluate("each => getComputedStyle(each).position") == "static"


def faults(page: Page) -> list[str]:
    """What axe finds, but for trifles."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html']} {node['any'] and node['any'][0]['message']}"
        for each in found
        if each["impact"] in ("serious", "critical", "moderate")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("net.html", 1400, "light"),
        ("net.html", 390, "dark"),
        ("net.html#layers-3", 1400, "dark"),
        ("net.html#layers-3", 390, "light"),
        ("index.html", 1400, "dark"),
        ("index.html", 390, "light"),
        ("pitfalls.html", 390, "light"),
        ("pitfalls.html?language=zh", 1400, "dark"),
        ("04-train-and-eval.html", 1400, "light"),
        ("04-train-and-eval.html?language=zh", 390, "dark"),
    ],
)
def test_axe_finds_no_fault(opened: Opener, name: str, width: int, theme: str) -> None:
    assert faults(opened(name, width=width, theme=theme)) == []


# The contrast of every piece of code with what is behind it: the lowest, and how many there are.
CONTRAST = """kind => {
  if (kind) document.querySelectorAll("[data-s]").forEach(each => each.classList.add(kind));
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = colours => {
    brush.clearRect(0, 0, 1, 1);
    for (const colour of colours) { brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1); }
    const parts = [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255);
    const [r, g, b] = parts.map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const known = new Map();
  for (const element of document.querySelectorAll(".spec *, .code *, .steps h3 *")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement) grounds.unshift(getComputedStyle(each).backgroundColor);
    const pair = JSON.stringify([grounds, getComputedStyle(element).color]);
    if (known.has(pair)) continue;
    const [behind, front] = [painted(grounds), painted([...grounds, getComputedStyle(element).color])];
    known.set(pair, (Math.max(behind, front) + .05) / (Math.min(behind, front) + .05));
  }
  return [Math.min(...known.values()), known.size];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["", "lit", "on"])
def test_every_colour_can_be_read(opened: Opener, kind: str, theme: str) -> None:
    lowest, pairs = opened("many.html", theme=theme).evaluate(CONTRAST, kind)
    assert pairs > 24 * 5
    assert lowest >= 4.5


def test_links_lead_somewhere(folder: Path) -> None:
    texts = {
        path.name: path.read_text() for path in folder.glob("*.html") if "attack" not in path.name
    }
    ids = {name: set(re.findall(r' id="([^"]+)"', text)) for name, text in texts.items()}
    count = 0
    for name, text in texts.items():
        for page, place in re.findall(r'href="(?!https:|data:)([^#"]*)#?([^"]*)"', text):
            assert not place or place in ids[page or name]
            assert (page or name) in ids
            count += 1
    assert count > 500


# What a spec says is text


@pytest.mark.parametrize("script", [True, False])
def test_a_hostile_spec_injects_nothing(opened: Opener, script: bool) -> None:
    page = opened("hostile.html", java_script_enabled=script)
    assert page.locator("script").count() == 1
    assert (
        page.locator("img, [onload], [onerror], [onmouseover], [href^='javascript']").count() == 0
    )
    shown = page.locator("body").inner_text()
    for text in (
        "<script>hacked = 1</script>",
        HOSTILE_FILE,
        "{{ 7 * 7 }}",
        "&lt;b&gt;",
        "</pre><img",
    ):
        assert text in shown
    if script:
        page.keyboard.press("End")
        assert page.evaluate("typeof hacked") == "undefined"


def test_the_index_tells_a_hostile_doc_as_text(opened: Opener) -> None:
    page = opened("index.html")
    assert "<script>hacked = 1</script>" in page.locator("main").inner_text()
    assert page.evaluate("typeof hacked") == "undefined"


def test_what_is_injected_all_the_same_does_not_run(opened: Opener, folder: Path) -> None:
    """The page's policy is a second wall: a script or style in it that is not its own stays dead."""
    text = (folder / "net.html").read_text()
    attack = "<script>hacked = 1</script><img src=x onerror='hacked = 1'><a style='color: red'>"
    (folder / "attacked.html").write_text(text.replace("<main", f"{attack}<main"))
    page = opened("net.html")
    heard: list[str] = []
    attacked = page.context.new_page()
    attacked.on("console", lambda message: heard.append(message.text))
    attacked.goto(f"{folder.as_uri()}/attacked.html")
    assert attacked.evaluate("typeof hacked") == "undefined"
    assert len([text for text in heard if "Content Security Policy" in text]) >= 2
