"use strict";
// Before anything is drawn, so that a dark page never flashes white.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("citytrade-theme");
  } catch {
    // a browser may keep nothing of pages from disk
  }
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme ?? system;
})();
