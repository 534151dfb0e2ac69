// The editor: CodeMirror with nngen's own errors, completion and colours.
import { autocompletion, completionKeymap, closeBrackets, closeBracketsKeymap } from "./vendor/codemirror-autocomplete.js";
import { defaultKeymap, history, historyKeymap } from "./vendor/codemirror-commands.js";
import { yaml } from "./vendor/codemirror-lang-yaml.js";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "./vendor/codemirror-language.js";
import { lintGutter, lintKeymap, setDiagnostics } from "./vendor/codemirror-lint.js";
import { EditorState, StateEffect, StateField } from "./vendor/codemirror-state.js";
import { Decoration, drawSelection, EditorView, highlightActiveLineGutter, keymap, lineNumbers } from "./vendor/codemirror-view.js";
import { tags } from "./vendor/lezer-highlight.js";

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--quiet)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--string)" },
  { tag: tags.number, color: "var(--number)" },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.keyword], color: "var(--keyword)" },
]);

// nngen counts characters, JavaScript UTF-16 units.
const units = (text, characters) => {
  let at = 0;
  for (const character of text) { if (!characters--) break; at += character.length; }
  return at;
};
const offset = (state, line, column) => {
  const found = state.doc.line(Math.max(1, Math.min(line, state.doc.lines)));
  return found.from + units(found.text, column);
};
const range = (state, each) => [offset(state, each.line, each.column), offset(state, each.end_line, each.end_column)];

const setPlaces = StateEffect.define();
const places = StateField.define({
  create: () => Decoration.none,
  update: (value, transaction) => {
    for (const effect of transaction.effects) if (effect.is(setPlaces)) return effect.value;
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

// What may stand at the cursor: found from the line and, of indented arguments, the lines above.
const completer = (words) => (context) => {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const dotted = context.matchBefore(/\b(?:F|torch|Tensor)\.\w*/);
  if (dotted) return { from: dotted.from, options: words.functions.map((label) => ({ label, type: "function" })) };
  const word = context.matchBefore(/\w*/);
  if (!context.explicit && word.from === word.to) return null;
  const blocks = [...context.state.doc.toString().matchAll(/^ {2}(\w+):/gm)].map((found) => found[1]).filter((name) => /^[A-Z]/.test(name));
  const keys = (table) => Object.entries(table).map(([label, info]) => ({ label, type: "keyword", info, apply: `${label}: ` }));
  const layers = (wanted) => Object.entries(words.layers).filter(wanted)
    .map(([label, each]) => ({ label, type: "class", info: each.doc }));
  const inner = before.match(/([A-Z]\w*)(?: as [\w${}]+)?:\s*\{[^{}]*$/)?.[1] ?? (/^\s+\w*$/.test(before) ? above(context.state, line) : undefined);
  if (/[:[({,]\s*[^,{[]*:\s*\w*$/.test(before) && inner) return null;
  let options;
  if (inner && words.layers[inner])
    options = Object.entries(words.layers[inner].arguments)
      .map(([label, value]) => ({ label, type: "property", detail: value === null ? "required" : value, apply: `${label}: ` }));
  else if (/^loss:\s*\{?\w*$/.test(before)) options = layers(([, each]) => each.loss);
  else if (/^\w*$/.test(before)) options = keys(words.keys);
  else if (/(?:^\s*-\s+|[[,{]\s*)\w*$/.test(before))
    options = [...layers(([, each]) => !each.loss), ...blocks.map((label) => ({ label, type: "class" })), ...keys(words.beside)];
  else if (/^\s+\w*$/.test(before)) options = keys(words.beside);
  return options ? { from: word.from, options, validFor: /^\w*$/ } : null;
};
const above = (state, line) => {
  const indent = line.text.search(/\S|$/);
  for (let number = line.number - 1; number > 0; number--) {
    const found = state.doc.line(number).text;
    if (found.trim() && found.search(/[^\s-]/) < indent) return found.match(/([A-Z]\w*)(?: as [\w${}]+)?:\s*$/)?.[1];
  }
  return undefined;
};

export const create = (parent, { text, words, changed, moved, hovered, say }) => {
  let replacing = false;
  const view = new EditorView({ parent, state: EditorState.create({ doc: text, extensions: [
    lineNumbers(), highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
    autocompletion({ override: [completer(words)] }), lintGutter(), yaml(), syntaxHighlighting(COLOURS), places, EditorView.lineWrapping,
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
    EditorView.contentAttributes.of({ "aria-labelledby": "edit-title", spellcheck: "false" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !replacing) changed();
      if (update.selectionSet && update.transactions.some((each) => each.isUserEvent("select"))) at(update.state);
    }),
  ] }) });
  const at = (state) => {
    const line = state.doc.lineAt(state.selection.main.head);
    moved(line.number, [...line.text.slice(0, state.selection.main.head - line.from)].length);
  };
  view.contentDOM.addEventListener("pointerover", (event) => hovered(event.target.closest("[data-s]")?.dataset.s ?? null));
  view.contentDOM.addEventListener("pointerleave", () => hovered(null));
  const scroll = (position) => EditorView.scrollIntoView(position, { y: "nearest", yMargin: 40 });
  return {
    text: () => view.state.doc.toString(),
    replace: (whole) => {
      replacing = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: whole }, selection: { anchor: 0 } });
      replacing = false;
    },
    problems: (found) => view.dispatch(setDiagnostics(view.state, found.filter((each) => each.line).map((each) => {
      const [from, to] = range(view.state, each);
      const message = [each.code.startsWith("NN") ? `${each.code}: ${each.message}` : each.message, each.hint].filter(Boolean).join("\n");
      const actions = each.meant ? [{ name: say(`Write ${each.meant}`, `改为 ${each.meant}`), apply: (editor, start, end) => editor.dispatch({ changes: { from: start, to: end, insert: each.meant } }) }] : [];
      return { from, to, severity: each.level, message, actions };
    }))),
    places: (found) => view.dispatch({ effects: setPlaces.of(Decoration.set(found.map((each) => {
      const [from, to] = range(view.state, each);
      return from < to ? Decoration.mark({ attributes: { "data-s": String(each.number) } }).range(from, to) : null;
    }).filter(Boolean), true)) }),
    go: (line, column) => { const anchor = offset(view.state, line, column); view.dispatch({ selection: { anchor }, effects: scroll(anchor) }); view.focus(); },
    reveal: (line) => view.dispatch({ effects: scroll(offset(view.state, line, 0)) }),
    change: (line, column, endColumn, word) => view.dispatch({ changes: { from: offset(view.state, line, column), to: offset(view.state, line, endColumn), insert: word } }),
  };
};
