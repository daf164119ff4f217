// Grids of many cells are one stop for the Tab key: arrow keys, Home, End, Page Up and Page Down move inside.
(function () {
  "use strict";

  function columnsOf(cells) {
    const top = cells[0].offsetTop;
    const end = cells.findIndex((cell) => cell.offsetTop !== top);
    return end < 0 ? cells.length : end;
  }

  function steps(cells, at) {
    const columns = columnsOf(cells);
    return {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: at - (at % columns),
      End: Math.min(at - (at % columns) + columns - 1, cells.length - 1),
      PageUp: at % columns,
      PageDown: cells.length - 1 - ((cells.length - 1 - at) % columns),
    };
  }

  function rove(grid) {
    const cells = Array.from(grid.querySelectorAll(":scope > li > *"));
    if (!cells.length) return;
    let current = cells.findIndex((cell) => cell.tagName === "A");
    current = current < 0 ? 0 : current;
    cells.forEach((cell, at) => cell.setAttribute("tabindex", at === current ? "0" : "-1"));

    function go(to) {
      cells[current].setAttribute("tabindex", "-1");
      current = to;
      cells[current].setAttribute("tabindex", "0");
    }

    grid.addEventListener("focusin", (event) => {
      const at = cells.indexOf(event.target);
      if (at >= 0) go(at);
    });
    grid.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !cells.includes(event.target)) return;
      const to = steps(cells, current)[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (to < 0 || to >= cells.length) return;
      go(to);
      cells[to].focus();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-roving]").forEach(rove);
  });
})();
