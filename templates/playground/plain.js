// A plain text area in the place of the editor, where that is not at hand.
export const create = (parent, { text, changed, moved }) => {
  const area = document.createElement("textarea");
  area.spellcheck = false;
  area.setAttribute("aria-labelledby", "edit-title");
  area.value = text;
  parent.replaceChildren(area);
  area.addEventListener("input", () => changed());
  const start = (line) => area.value.split("\n").slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const place = () => {
    const before = area.value.slice(0, area.selectionStart).split("\n");
    moved(before.length, before.at(-1).length);
  };
  area.addEventListener("click", place);
  area.addEventListener("keyup", place);
  return {
    text: () => area.value,
    replace: (whole) => { area.value = whole; },
    problems: () => {},
    places: () => {},
    go: (line, column) => { area.focus(); area.setSelectionRange(start(line) + column, start(line) + column); },
    reveal: () => {},
    change: (line, column, endColumn, word) => { area.setRangeText(word, start(line) + column, start(line) + endColumn, "end"); changed(); },
  };
};
