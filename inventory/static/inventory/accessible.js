/* Names what the libraries below leave nameless for a screen reader: select2's boxes, Django's two-list selector. */
"use strict";
{
  const label = (id) => document.querySelector(`label[for="${CSS.escape(id)}"]`)?.textContent.trim() ?? "";

  const nameSelect2 = (box) => {
    const select = box.previousElementSibling;
    if (!select || !select.id) return;
    const name = label(select.id) || select.getAttribute("aria-label") || select.name;
    const shown = box.querySelector(".select2-selection");
    if (!shown || !name) return;
    shown.removeAttribute("aria-labelledby");
    shown.setAttribute("aria-label", name);
    const rendered = box.querySelector(".select2-selection__rendered");
    rendered?.removeAttribute("role");
    rendered?.removeAttribute("aria-readonly");
    box.querySelector(".select2-search__field")?.setAttribute("aria-label", `${name}: type to find`);
    const clear = box.querySelector("ul > .select2-selection__clear");
    clear?.setAttribute("role", "listitem");
  };

  const nameSelector = (selector) => {
    selector.querySelectorAll(".help-tooltip[aria-label]").forEach((one) => one.setAttribute("role", "img"));
    selector.querySelectorAll("input[placeholder]:not([aria-label])").forEach((one) => {
      const chosen = one.closest(".selector-chosen") ? "chosen" : "available";
      one.setAttribute("aria-label", `Filter what is ${chosen}`);
    });
  };

  let waiting = false;
  const nameAll = () => {
    waiting = false;
    document.querySelectorAll(".select2-container").forEach(nameSelect2);
    document.querySelectorAll(".selector").forEach(nameSelector);
    const field = document.querySelector(".select2-dropdown .select2-search__field");
    field?.setAttribute("aria-label", "Type to find");
  };
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(nameAll);
  };
  document.addEventListener("DOMContentLoaded", () => {
    nameAll();
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  });
}
