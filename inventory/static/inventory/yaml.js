/* Text areas of YAML: numbered lines, the erroneous one marked, checked while somebody types; Tab writes blanks. */
"use strict";
{
  const WAIT = 350; // milliseconds after the last key

  /* [line, column] of the caret, both from one */
  const caretOf = (area) => {
    const before = area.value.slice(0, area.selectionStart).split("\n");
    return [before.length, before[before.length - 1].length + 1];
  };

  const putCaret = (area, line, column) => {
    const lines = area.value.split("\n").slice(0, line - 1);
    const start = lines.reduce((sum, one) => sum + one.length + 1, 0) + Math.max(column - 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(start, start);
    scrollTo(area, line);
  };

  const heightOf = (area) => Number.parseFloat(getComputedStyle(area).lineHeight) || 20;

  const scrollTo = (area, line) => {
    const height = heightOf(area);
    area.scrollTop = Math.max(0, (line - 3) * height);
    area.scrollIntoView({ block: "nearest" });
  };

  const number = (area, lines, bad) => {
    const count = area.value.split("\n").length;
    let text = "";
    for (let line = 1; line <= count; line += 1) text += `<span${line === bad ? ' class="mp-bad"' : ""}>${line}</span>`;
    lines.innerHTML = text;
    lines.scrollTop = area.scrollTop;
    area.classList.toggle("mp-bad-line", bad > 0);
    area.style.setProperty("--mp-bad", String(bad > 0 ? bad - 1 : 0));
  };

  const badLine = (told) => Number(told.querySelector("[data-line]")?.dataset.line ?? 0);

  const offerLine = (area, told) => {
    const found = told.querySelector("[data-line]");
    if (!found) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "mp-badge";
    button.textContent = `Go to line ${found.dataset.line}`;
    button.addEventListener("click", () => putCaret(area, Number(found.dataset.line), Number(found.dataset.column)));
    found.append(button);
  };

  const type = (area, text) => {
    /* the only way that keeps the browser's own undo */
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const begin = (box) => {
    const area = box.querySelector("textarea");
    const lines = box.querySelector(".mp-yaml-lines");
    const told = box.querySelector(".mp-yaml-told");
    if (!area || box.dataset.begun || area.name.includes("__prefix__")) return;
    box.dataset.begun = "1";
    const where = document.createElement("p");
    where.className = "mp-yaml-caret";
    box.append(where);
    let timer = 0;
    let asked = null;
    let leaving = false;

    const drawn = () => number(area, lines, badLine(told));
    const tell = () => {
      const [line, column] = caretOf(area);
      where.textContent = `Line ${line}, column ${column}. Tab writes blanks; Escape, then Tab leaves.`;
    };
    const check = async () => {
      asked?.abort();
      asked = new AbortController();
      const data = new FormData();
      data.set("text", area.value);
      data.set("csrfmiddlewaretoken", area.form?.elements.csrfmiddlewaretoken?.value ?? "");
      try {
        const answer = await fetch(box.dataset.check, { method: "POST", body: data, signal: asked.signal });
        if (!answer.ok) throw new Error(String(answer.status));
        told.innerHTML = await answer.text();
        offerLine(area, told);
      } catch (error) {
        if (error.name === "AbortError") return;
        told.textContent = "";
      }
      drawn();
    };

    area.addEventListener("input", () => {
      drawn();
      clearTimeout(timer);
      timer = setTimeout(check, WAIT);
    });
    area.addEventListener("scroll", () => {
      lines.scrollTop = area.scrollTop;
    });
    for (const name of ["keyup", "click", "focus"]) area.addEventListener(name, tell);
    area.addEventListener("blur", () => {
      leaving = false;
      where.textContent = "";
    });
    area.addEventListener("keydown", (event) => {
      if (area.readOnly || area.disabled) return;
      if (event.key === "Escape") leaving = true;
      else if (event.key === "Tab" && !event.shiftKey && !leaving && !event.ctrlKey && !event.altKey) {
        event.preventDefault();
        type(area, "  ");
      } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
        const line = area.value.slice(0, area.selectionStart).split("\n").pop();
        event.preventDefault();
        type(area, `\n${line.match(/^ */)[0]}${/:\s*$/.test(line) ? "  " : ""}`);
      } else if (!["Shift", "Tab"].includes(event.key)) leaving = false;
    });
    told.setAttribute("role", "status");
    offerLine(area, told);
    drawn();
    /* a refused page opens where it was refused */
    if (badLine(told)) scrollTo(area, badLine(told));
  };

  const beginAll = (root) => root.querySelectorAll(".mp-yaml").forEach(begin);

  document.addEventListener("DOMContentLoaded", () => beginAll(document));
  document.addEventListener("formset:added", (event) => beginAll(event.target));

  /* --- copying --- */

  const copied = (button, text) => {
    const said = button.textContent;
    button.textContent = text;
    setTimeout(() => (button.textContent = said), 1500);
  };

  const copyOld = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy"); // the clipboard proper needs HTTPS or localhost
    area.remove();
    return done;
  };

  document.documentElement.classList.add("mp-js");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".mp-copy");
    if (!button) return;
    const text = button.dataset.copy ?? button.parentElement.querySelector("pre, code")?.textContent ?? "";
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else if (!copyOld(text)) throw new Error("refused");
      copied(button, "Copied");
    } catch {
      copied(button, "Not allowed");
    }
  });
}
