// Writes the playground: `node build.mjs FOLDER PYTHON`, with the Python that nngen is installed for.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadPyodide } from "pyodide";

const here = dirname(fileURLToPath(import.meta.url));
const [folder, python] = [resolve(process.argv[2]), process.argv[3]];
const modules = join(here, "node_modules");
const said = (text) => console.log(text);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
execFileSync(python, [join(here, "pages.py"), folder], { stdio: "inherit" });
for (const name of ["worker.js", "service.js"]) cpSync(join(here, name), join(folder, name));

// --- The editor: each package one module, which names the others as they lie beside it.
const EDITOR = [
  "@codemirror/autocomplete", "@codemirror/commands", "@codemirror/lang-yaml", "@codemirror/language", "@codemirror/lint",
  "@codemirror/state", "@codemirror/streamparser", "@codemirror/view", "@lezer/common", "@lezer/highlight", "@lezer/lr", "@lezer/yaml",
  "@marijn/find-cluster-break", "crelt", "style-mod", "w3c-keyname",
];
const flat = (name) => `${name.replace("@", "").replace("/", "-")}.js`;
mkdirSync(join(folder, "vendor"));
const licences = [];
for (const name of EDITOR) {
  const at = join(modules, name);
  const about = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
  const text = readFileSync(join(at, about.module ?? about.exports.import), "utf8");
  const linked = text.replace(/^((?:import|export)\b[^'";]*\bfrom\s*)['"]([^'"]+)['"]/gm, (whole, before, other) => {
    if (!EDITOR.includes(other)) throw new Error(`${name} needs ${other}, which is not in the list`);
    return `${before}"./${flat(other)}"`;
  });
  writeFileSync(join(folder, "vendor", flat(name)), linked);
  licences.push(notice(name, about.version, about.license, at));
}
function notice(name, version, licence, at) {
  const file = readdirSync(at).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version} (${licence})\n\n${file ? readFileSync(join(at, file), "utf8").trim() : ""}\n`;
}

// --- Pyodide as npm has it.
const runtime = join(modules, "pyodide");
mkdirSync(join(folder, "pyodide"));
for (const name of ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"])
  cpSync(join(runtime, name), join(folder, "pyodide", name));
const about = JSON.parse(readFileSync(join(runtime, "package.json"), "utf8"));
licences.push(`pyodide ${about.version} (${about.license}), with CPython (PSF-2.0)\n\n${about.homepage}\n`);

// --- nngen and what it needs, as bytecode of Pyodide's Python: what is imported once all of nngen is at work.
const paths = JSON.parse(execFileSync(python, ["-c", "import json, sys, nngen, yaml; from pathlib import Path; print(json.dumps([str(Path(nngen.__file__).parents[1]), str(Path(yaml.__file__).parents[1])]))"], { cwd: join(here, "..") }));
const packer = await loadPyodide();
packer.mountNodeFS("/own", paths[0]);
packer.mountNodeFS("/installed", paths[1]);
packer.FS.writeFile("/warm.py", readFileSync(join(here, "warm.py")));
packer.FS.writeFile("/pack.py", readFileSync(join(here, "pack.py")));
packer.runPython("import sys; sys.path[:0] = ['/', '/own', '/installed']; import warm, pack; pack.pack('/packages.zip')");
const packages = packer.FS.readFile("/packages.zip");
writeFileSync(join(folder, "packages.zip"), packages);
licences.push(...JSON.parse(packer.runPython("import json; json.dumps(pack.licences())")));
writeFileSync(join(folder, "licences.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));

// --- Python's memory once all is imported and has worked: a browser that takes it is ready in a moment.
const warmed = await loadPyodide({ _makeSnapshot: true });
warmed.unpackArchive(packages, "zip", { extractDir: "/packages" });
warmed.FS.writeFile("/packages/warm.py", readFileSync(join(here, "warm.py")));
warmed.runPython("import sys; sys.path.insert(0, '/packages'); import warm; from nngen.teach.playground.desk import Desk; desk = Desk()");
warmed.FS.writeFile("/packages/sweep.py", readFileSync(join(here, "sweep.py")));
warmed.runPython("del sys.modules['warm'], warm; import sweep; sweep.sweep(); del sys.modules['sweep'], sweep");
// What Python's own library has beside that is not missed: all that is used is in memory.
const empty = packer.runPython("import io, zipfile; data = io.BytesIO(); zipfile.ZipFile(data, 'w').close(); data.getvalue()");
writeFileSync(join(folder, "nothing.zip"), empty.toJs());
writeFileSync(join(folder, "snapshot.bin"), gzipSync(warmed.makeMemorySnapshot(), { level: 9 }));

// --- The service worker knows all files, and is another once one of them is.
const files = readdirSync(folder, { recursive: true }).filter((each) => statSync(join(folder, each)).isFile()).map((each) => each.replaceAll("\\", "/")).sort();
const digest = createHash("sha256");
for (const name of files) digest.update(name).update(readFileSync(join(folder, name)));
// What only a start without the snapshot takes is kept once it was fetched.
const ANEW = ["packages.zip", "pyodide/python_stdlib.zip"];
const kept = files.filter((each) => each !== "service.js" && !ANEW.includes(each));
const service = readFileSync(join(here, "service.js"), "utf8")
  .replace("FILES = []", `FILES = ${JSON.stringify(["./", ...kept])}`)
  .replace("nngen-0", `nngen-${digest.digest("hex").slice(0, 16)}`);
writeFileSync(join(folder, "service.js"), service);

// --- How much that is.
const parts = {
  "without a snapshot": /^(packages\.zip|pyodide\/python_stdlib\.zip)$/,
  "Python": /^pyodide\//, "its memory, with nngen": /^snapshot/, "the editor": /^vendor\//, "all examples": /^examples/, "the page": /./,
};
const left = new Set(files);
let sum = 0;
for (const [name, pattern] of Object.entries(parts)) {
  let size = 0;
  for (const file of [...left].filter((each) => pattern.test(each))) {
    left.delete(file);
    size += gzipSync(readFileSync(join(folder, file))).length;
  }
  if (name !== "without a snapshot") sum += size;
  said(`${name.padEnd(24)} ${(size / 1e6).toFixed(2).padStart(6)} MB gzip`);
}
said(`${"a visit, with a snapshot".padEnd(24)} ${(sum / 1e6).toFixed(2).padStart(6)} MB gzip`);
process.exit(0);
