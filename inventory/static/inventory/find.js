/* The key / leads to the find field from everywhere; arrows walk its results; Escape leaves it. */
"use strict";
{
  const field = () => document.getElementById("mp-find");
  const found = () => document.getElementById("mp-found");
  const links = () => [...(found()?.querySelectorAll("a") ?? [])];

  const isTyping = (element) =>
    element instanceof HTMLElement &&
    (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));

  const close = () => {
    if (found()) found().replaceChildren();
  };

  const move = (event, step) => {
    const all = links();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement) + step;
    event.preventDefault();
    if (at < 0) field().focus();
    else all[Math.min(at, all.length - 1)].focus();
  };

  document.addEventListener("keydown", (event) => {
    const inside = event.target === field() || found()?.contains(event.target);
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
      event.preventDefault();
      if (field()?.offsetParent) {
        field().focus();
        field().select();
      } else {
        window.location.assign(field()?.form?.action ?? "/admin/find/");
      }
    } else if (event.target === field() && event.key === "Enter" && event.shiftKey) {
      /* not straight to the only one, but to the page with everything */
      event.preventDefault();
      field().form.elements.go.disabled = true;
      field().form.requestSubmit();
    } else if (inside && event.key === "Escape") {
      close();
      field().blur();
      event.target.blur?.();
    } else if (inside && event.key === "ArrowDown") move(event, 1);
    else if (inside && event.key === "ArrowUp") move(event, -1);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".mp-find")) close();
  });
}
