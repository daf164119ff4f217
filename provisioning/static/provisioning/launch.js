/* The page before a run: Ansible is asked again once somebody has stopped typing. */
"use strict";
{
  const WAIT = 700; // milliseconds after the last key: an answer takes seconds
  const AGAIN = 2000; // milliseconds until it is asked again, where somebody else was looking

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("launch");
    const panel = document.getElementById("mp-seen");
    const variables = document.getElementById("mp-variables");
    if (!form || !panel) return;
    let timer = 0;
    const unasked = (name) => name === "why" || name.startsWith("secret-") || name.startsWith("fingerprint");
    const answers = () => JSON.stringify([...new FormData(form)].filter(([name]) => !unasked(name)));
    let asked = answers();
    /* leaving a field says "change" once more, in the middle of a click on what would then be replaced */
    const soon = () => {
      if (answers() === asked) return;
      asked = answers();
      panel.classList.add("mp-stale");
      clearTimeout(timer);
      timer = setTimeout(() => htmx.trigger(panel, "look"), WAIT);
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    panel.addEventListener("htmx:afterSwap", () => {
      panel.classList.remove("mp-stale");
      if (!panel.querySelector("[data-again]")) return;
      clearTimeout(timer);
      timer = setTimeout(() => htmx.trigger(panel, "look"), AGAIN);
    });
    const failed = () => {
      panel.classList.remove("mp-stale");
      document.getElementById("mp-seen-part").innerHTML =
        '<p class="mp-problem" role="alert">It cannot be said just now which hosts these are. Change something, or load the page again.</p>';
    };
    panel.addEventListener("htmx:responseError", failed);
    panel.addEventListener("htmx:sendError", failed);
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target === variables) variables.hidden = false; // the event is its new children's
    });
    /* what is out of date starts nothing */
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("button[form=launch]");
      if (button && (panel.classList.contains("mp-stale") || panel.classList.contains("htmx-request"))) {
        event.preventDefault();
        panel.querySelector(".mp-looking").scrollIntoView({ block: "nearest" });
      }
    });
  });
}
