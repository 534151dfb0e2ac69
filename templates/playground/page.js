// The playground: the spec is edited here; a worker, or the server that the page came from, says what becomes of it.
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const all = (query, under = document) => [...under.querySelectorAll(query)];
const KEPT = "nngen-playground";
const say = (en, zh) => root.lang === "zh-Hans" ? zh : en;
const both = (en, zh) => [["en", en], ["zh-Hans", zh]].map(([lang, text]) => Object.assign(document.createElement("span"), { lang, textContent: text }));
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.flat());
  return made;
};
const json = async (address) => { const got = await fetch(address); if (!got.ok) throw new Error(address); return got.json(); };
const state = (en, zh) => $("state").replaceChildren(...both(en, zh));

// --- Links that hold a spec: its text and its file's name, compressed.
const through = async (data, stream) => new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());
const pack = async (value) => {
  const data = await through(new TextEncoder().encode(JSON.stringify(value)), new CompressionStream("deflate-raw"));
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const unpack = async (text) => {
  const data = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await through(data, new DecompressionStream("deflate-raw"))));
};

// --- Who answers.
const LONGEST = 25_000; // of milliseconds; the slowest spec within nngen's limits takes about half
class Worked {
  constructor(ready) { this.ready = ready; this.waiting = new Map(); this.asked = 0; this.start(); }
  start() {
    this.worker = new Worker("worker.js", { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.ready) return this.ready(data.ready);
      if (data.died) return this.again();
      this.done(data.id, JSON.parse(data.answer));
    };
    this.worker.onerror = (event) => { event.preventDefault(); this.again(); };
  }
  done(id, answer) {
    const found = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(found?.clock);
    found?.resolve(answer);
  }
  // A worker that died or hangs is replaced; the text is here.
  again() {
    this.worker.terminate();
    const failed = { failed: say("Python stopped at this text, and was started again.", "Python 在此处停止，已重新启动。") };
    for (const id of [...this.waiting.keys()]) this.done(id, failed);
    if (++this.deaths > 5) return state("Python does not run in this browser.", "此浏览器无法运行 Python。");
    this.start();
  }
  deaths = 0;
  running = false;
  ask(stage, request) {
    return new Promise((resolve) => {
      const id = ++this.asked;
      const clock = this.running ? setTimeout(() => this.again(), LONGEST) : undefined;
      this.waiting.set(id, { resolve, clock });
      this.worker.postMessage({ id, request: JSON.stringify({ stage, ...request }) });
    });
  }
}
class Served {
  constructor(token) { this.token = token; }
  async post(address, body) {
    const got = await fetch(address, { method: "POST", headers: { "X-Nngen": this.token }, body: JSON.stringify(body) }).catch(() => null);
    return got?.ok ? got.json() : { failed: say("nngen serve does not answer.", "nngen serve 没有回应。") };
  }
  ask(stage, request) { return this.post("ask", { stage, ...request }); }
}

// --- What is on the page.
const server = document.querySelector("meta[name=nngen-server]");
const params = new URLSearchParams(location.search);
if (params.has("embed")) root.classList.add("embedded");
let editor, engine, places = [], files = {}, current = null, values = {}, open = {};
const live = { python: false, busy: false, again: false };

const request = () => ({ text: editor.text(), file: $("file").value, values, styles: $("styles").value ? $("styles").value.split(",") : null });
const keep = () => { try { localStorage.setItem(KEPT, JSON.stringify({ file: $("file").value, text: editor.text() })); } catch { /* then not */ } };
const kept = () => { try { return JSON.parse(localStorage.getItem(KEPT)); } catch { return null; } };

const showProblems = (answer) => {
  const found = answer.problems;
  editor.problems(found);
  const errors = found.filter((each) => each.level === "error").length;
  const [s, t] = [errors === 1 ? "" : "s", found.length - errors === 1 ? "" : "s"];
  $("count").className = errors ? "bad" : "good";
  $("count").replaceChildren(...(errors ? both(`${errors} error${s}; the code is that of the last text that built`, `${errors} 个错误；代码来自上一次能构建的文本`)
    : found.length ? both(`Builds, with ${found.length} finding${t}`, `可以构建，有 ${found.length} 条提示`) : both("Builds, nothing found", "可以构建，没有问题")));
  $("problems").replaceChildren(...found.map((each) => {
    const where = element("button", { type: "button", className: "at" }, both(`line ${each.line}`, `第 ${each.line} 行`));
    where.onclick = () => editor.go(each.line, each.column);
    const code = each.code.startsWith("NN") ? element("code", { textContent: each.code }) : "";
    const item = element("li", {}, where, " ", code, " ", each.message);
    if (each.hint) item.append(element("div", { className: "hint", textContent: each.hint }));
    if (each.meant) {
      const fix = element("button", { type: "button" }, both(`Write ${each.meant}`, `改为 ${each.meant}`));
      fix.onclick = () => editor.change(each.line, each.column, each.end_column, each.meant);
      item.append(fix);
    }
    if (each.why) item.append(element("details", {}, element("summary", { textContent: each.title }), element("p", { textContent: each.why })));
    return item;
  }));
  if (answer.open) showValues(answer.open);
};

const showValues = (given) => {
  const names = Object.keys(given).join();
  const before = Object.keys(open).join();
  open = given;
  if (names === before) return;
  values = Object.fromEntries(Object.entries(values).filter(([name]) => name in given));
  $("values").replaceChildren(...Object.entries(given).map(([name, value]) => {
    const input = element("input", { value: values[name] ?? value, spellcheck: false });
    input.onchange = () => { if (input.value.trim()) values[name] = input.value; else delete values[name]; refresh(); };
    return element("label", {}, `${name} = `, input);
  }));
};

const LABELS = { "nn_style.py": "nn", "functional_style.py": "F", "stateless.py": "S" };
const colours = new CSSStyleSheet(), lights = new CSSStyleSheet();
document.adoptedStyleSheets = [colours, lights];
const showCode = (answer) => {
  ({ places, files } = answer);
  const hue = (n) => n === null ? "--h: 0; --c: 0" : `--h: ${150 * (n % 24) % 360 + 15 * (Math.floor(n % 24 / 12) % 2)}; --c: 1`;
  $("table").innerHTML = answer.html;
  // On a narrow page each file's lines say whose they are.
  const labels = all("thead th", $("table")).slice(1).map((each, k) => `.code td:nth-child(${k + 2})::before { content: "${LABELS[each.textContent] ?? ""}"; }
    .code td:nth-child(n + 4)::before { position: absolute; left: 2.3rem; top: .15em; color: var(--quiet); font-size: .8em; }`);
  colours.replaceSync([...places.map((each) => `[data-s="${each.number}"] { ${hue(each.hue)}; }`), "@media (max-width: 63.99rem) {", ...labels,
    ".code .same td:nth-child(2)::before { content: \"=\"; } .code .same td:nth-child(n + 3) { display: none; } }"].join("\n"));
  $("table").classList.remove("stale");
  for (const head of all("thead th", $("table")).slice(1)) {
    const name = head.textContent;
    const copy = element("button", { type: "button" }, both("Copy", "复制"));
    copy.onclick = () => clip(files[name], copy);
    head.append(copy);
  }
  for (const link of all(".code th a")) link.tabIndex = -1;
  editor.places(places.filter((each) => each.hue !== null));
  light();
};
const showSteps = (answer) => { $("articles").innerHTML = answer.html; choose(current ?? "model", false); };

// --- Linked places: the one that is chosen, and the one under the pointer.
let lit = null;
const family = (n) => [n, ...places.filter((each) => each.above === n).flatMap((each) => family(each.number))];
const light = () => {
  const of = (n) => n === null || n === undefined || n === 0 ? [] : family(n);
  const chosen = places.find((each) => each.id === current)?.number;
  lights.replaceSync([...of(chosen), ...of(lit)].map((n) => `:is(.l, b, .cm-content span)[data-s="${n}"], tr[data-s="${n}"] > * {
    background: light-dark(oklch(.88 calc(.11 * var(--c)) var(--h)), oklch(.42 calc(.1 * var(--c)) var(--h) / .75)); }`).join("\n"));
};
const choose = (id, reveal = true) => {
  current = id;
  const shown = document.getElementById(id);
  for (const each of all("#articles article")) each.classList.toggle("shown", each.id === id);
  if (!shown) $("model")?.classList.add("shown");
  root.classList.toggle("chosen", id !== "model");
  light();
  if (!reveal || id === "model") return;
  const place = places.find((each) => each.id === id);
  if (!place) return;
  editor.reveal(place.line);
  $("table").querySelector(`tr[data-s="${place.number}"], b[data-s="${place.number}"]`)?.scrollIntoView({ block: "nearest" });
};
const hover = (number) => { lit = number === null || number === undefined ? null : Number(number); light(); };
const at = (line, column) => {
  const inside = places.filter((each) => each.hue !== null && (each.line < line || (each.line === line && each.column <= column))
    && (each.end_line > line || (each.end_line === line && each.end_column >= column)));
  if (inside.length) choose(inside.at(-1).id);
};
document.addEventListener("click", (event) => {
  const link = event.target.closest(":is(#articles, #table) a[href^='#']");
  if (link) {
    const id = link.getAttribute("href").slice(1);
    if (places.some((each) => each.id === id)) { event.preventDefault(); choose(id); }
    return;
  }
  const part = event.target.closest("#table [data-s]");
  if (part && !event.target.closest("button") && !String(getSelection())) choose(places[Number(part.dataset.s)].id);
});
$("table").addEventListener("pointerover", (event) => hover(event.target.closest("[data-s]")?.dataset.s));
$("table").addEventListener("pointerleave", () => hover(null));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, .cm-editor")) return;
  const steps = places.map((each) => each.id), now = steps.indexOf(current);
  const to = { j: now + 1, k: now - 1, Escape: 0 }[event.key];
  if (to !== undefined && steps[to]) { event.preventDefault(); choose(steps[to]); }
});

// --- One text after another, each stage as soon as the one before is there.
const stages = async () => {
  const asked = request();
  const stop = (answer) => {
    if (live.again) return true;
    if (answer.failed) { $("count").className = "bad"; $("count").textContent = answer.failed; $("table").classList.add("stale"); return true; }
    return false;
  };
  const problems = await engine.ask("problems", asked);
  if (stop(problems)) return;
  showProblems(problems);
  if (problems.problems.some((each) => each.level === "error")) { $("table").classList.add("stale"); return; }
  for (const [stage, show] of [["code", showCode], ["steps", showSteps]]) {
    const answer = await engine.ask(stage, asked);
    if (stop(answer)) return;
    if (answer.problems) { showProblems(answer); $("table").classList.add("stale"); return; }
    show(answer);
    performance.mark(`nngen-${stage}`);
  }
};
const refresh = async () => {
  $("command").textContent = `nngen verify ${$("file").value}`;
  if (!live.python) return;
  live.again = true;
  if (live.busy) return;
  live.busy = true;
  root.dataset.live = "busy";
  while (live.again) { live.again = false; await stages(); }
  live.busy = false;
  root.dataset.live = "done";
};
const changed = () => { $("examples").value = ""; keep(); refresh(); };

// --- Buttons.
const clip = async (text, button) => {
  try { await navigator.clipboard.writeText(text); state("Copied", "已复制"); } catch {
    getSelection().selectAllChildren(button); state("The browser forbids copying", "浏览器不允许复制");
  }
};
const link = async (embed = false) => {
  const { text, file } = request();
  const address = new URL(location.pathname, location.href);
  if (embed) address.search = "embed";
  address.hash = `s=${await pack({ file, text, styles: $("styles").value })}`;
  return address.href;
};
$("share").onclick = async () => { const address = await link(); history.replaceState(null, "", address.replace("?embed", "")); await clip(address, $("share")); };
$("embed").onclick = async () => clip(`<iframe src="${await link(true)}" title="nngen" width="100%" height="560" loading="lazy"></iframe>`, $("embed"));
$("whole").addEventListener("pointerdown", async () => { $("whole").href = await link(); });
$("whole").addEventListener("focus", async () => { $("whole").href = await link(); });
$("download").onclick = async () => {
  if (!live.python) return state("Python is still on its way", "Python 尚在加载");
  const answer = await engine.ask("package", request());
  if (answer.failed) return state(answer.failed, answer.failed);
  const bytes = Uint8Array.from(atob(answer.zip), (each) => each.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
  element("a", { href: address, download: `${$("file").value.replace(/\.ya?ml$/, "")}.zip` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};
$("verify").onclick = async () => {
  $("verify").disabled = true;
  state("Verifying…", "正在验证……");
  const answer = await engine.post("verify", request());
  $("report").hidden = false;
  $("report").textContent = answer.report ?? answer.failed;
  state("Verified", "验证完毕");
  $("report").scrollIntoView({ block: "nearest" });
  $("verify").disabled = false;
};
$("styles").onchange = refresh;
$("differences").onchange = () => root.classList.toggle("differing", $("differences").checked);
$("file").onchange = changed;

// --- Beginning: what the link holds, else what was kept, else the first example, whose built page shows at once.
const load = (spec, styles) => {
  $("file").value = spec.file;
  values = {}; open = {}; current = null;
  $("styles").value = styles && all("option", $("styles")).some((each) => each.value === styles) ? styles : "nn,functional";
  editor.replace(spec.text);
};
const show = async (name) => {
  const built = await json(`examples/${name}.json`);
  load(built);
  $("examples").value = name;
  showProblems(built.problems); showCode(built.code); showSteps(built.steps);
  root.dataset.first = name;
  refresh();
};
const examples = async () => {
  const found = await json("examples.json");
  $("examples").append(...found.map((each) => element("option", { value: each.name, textContent: each.doc ? `${each.name}: ${each.doc}` : each.name })));
  $("examples").onchange = () => { if ($("examples").value) { history.replaceState(null, "", location.pathname + location.search); show($("examples").value).then(keep); } };
  return found;
};
const plain = () => import("./plain.js");
const begin = async () => {
  const [made, words] = await Promise.all([import("./editor.js").catch(plain), json("words.json")]);
  editor = made.create($("editor"), { text: "", words, changed, moved: at, hovered: hover, say });
  if (server) {
    engine = new Served(server.content);
    live.python = true;
    $("verify").hidden = !server.dataset.verify;
  } else {
    engine = new Worked((ready) => {
      engine.running = live.python = true;
      root.dataset.python = ready;
      state(ready === "snapshot" ? "live (from a snapshot)" : "live", ready === "snapshot" ? "已就绪（内存快照）" : "已就绪");
      refresh();
    });
    state("Python is on its way; what you see was built before", "Python 正在加载；现在显示的是预先构建的结果");
  }
  const listed = examples().catch(() => { $("examples").parentElement.hidden = true; return []; });
  const hash = new URLSearchParams(location.hash.slice(1));
  const given = hash.get("s") && await unpack(hash.get("s")).catch(() => null);
  if (hash.get("s") && !given) state("The link is damaged", "链接已损坏");
  const wanted = hash.get("example");
  const start = server && await json("start.json");
  const old = !given && !wanted && !start?.text && !params.has("embed") && kept();
  if (given?.text !== undefined) load({ file: String(given.file), text: String(given.text) }, given.styles);
  else if (old?.text) load(old);
  else if (start?.text) load(start);
  else {
    const known = await listed;
    const first = known.find((each) => each.name === wanted) ?? known.find((each) => each.name === "cnn") ?? known[0];
    if (first) return show(first.name);
    load({ file: "net.yaml", text: "name: Net\ninput: [1, 28, 28]\nlayers:\n  - Flatten\n  - Linear: 10\n" });
  }
  refresh();
};
begin();
if (!server && "serviceWorker" in navigator) navigator.serviceWorker.register("service.js").catch(() => {});
