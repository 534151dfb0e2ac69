// Python, with nngen: as a snapshot of its memory where the browser takes that, else started and filled anew.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const bytes = async (name) => {
  const got = await fetch(name);
  if (!got.ok) throw new Error(`${name}: ${got.status}`);
  return got.arrayBuffer();
};
const unzipped = async (name) => new Uint8Array(await new Response((await fetch(name)).body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());

const fromSnapshot = async () => {
  const python = await loadPyodide({
    indexURL: "./pyodide/", stdLibURL: new URL("nothing.zip", location.href).href, _loadSnapshot: await unzipped("snapshot.bin"),
  });
  return [python, "snapshot"];
};
const anew = async () => {
  const [python, packages] = await Promise.all([loadPyodide({ indexURL: "./pyodide/" }), bytes("packages.zip")]);
  python.unpackArchive(packages, "zip", { extractDir: "/packages" });
  python.runPython(START);
  return [python, "packages"];
};
const START = "import sys; sys.path.insert(0, '/packages'); from nngen.teach.playground.desk import Desk; desk = Desk()";

let answer;
const started = (async () => {
  let made;
  try { made = await fromSnapshot(); } catch { made = await anew(); }
  answer = made[0].runPython("desk.answer");
  postMessage({ ready: made[1] });
})();

self.onmessage = async ({ data }) => {
  try {
    await started;
    postMessage({ id: data.id, answer: answer(data.request) });
  } catch (error) {
    console.error(error);
    // An exception of Python's leaves it as it was; anything else is the interpreter's end.
    if (error.name !== "PythonError") return postMessage({ died: String(error) });
    const failed = error.message.trim().split("\n").at(-1);
    postMessage({ id: data.id, answer: JSON.stringify({ failed: `a fault in nngen: ${failed}` }) });
  }
};
started.catch((error) => postMessage({ died: String(error) }));
