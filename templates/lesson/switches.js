"use strict";
document.documentElement.classList.add("js");
addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement;
  const all = (query, under = document) => [...under.querySelectorAll(query)];

  // What the reader chose goes along from page to page, where the browser lets a file keep something.
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* then not */ } };
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const asked = new URLSearchParams(location.search);
  for (const name of ["language", "theme"]) {
    const inputs = all(`input[name=${name}]`);
    const wanted = asked.get(name) ?? stored(`nngen-${name}`);
    const given = inputs.find((input) => input.value === wanted || input.id === `${name}-${wanted}`);
    if (given) given.checked = true;
    const apply = () => {
      if (name === "language") root.lang = inputs.find((input) => input.checked).value;
    };
    for (const input of inputs) input.addEventListener("change", () => {
      store(`nngen-${name}`, input.value);
      apply();
    });
    apply();
  }
});
