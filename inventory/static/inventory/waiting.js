/* Long work: what was sent says that it is being worked on, and since when. A double click sends it once. */
"use strict";
{
  const SHOWN_AFTER = 600;
  const ONCE_WITHIN = 2000;
  let ticking = 0;

  const stop = () => {
    clearTimeout(ticking);
    document.getElementById("mp-waiting")?.remove();
  };

  const show = (began) => {
    const box = document.createElement("div");
    box.id = "mp-waiting";
    box.setAttribute("role", "status");
    box.textContent = "Working. The page follows when it is done. ";
    const seconds = document.createElement("span");
    seconds.setAttribute("aria-hidden", "true"); // told once, not every second
    box.append(seconds);
    document.body.append(box);
    const tick = () => {
      seconds.textContent = `${Math.floor((Date.now() - began) / 1000)} s`;
      ticking = setTimeout(tick, 1000);
    };
    tick();
  };

  /* A file that is taken away leaves the page as it is, and nobody tells it when that is done. */
  const takesAway = (form) => form.querySelector("select[name=action]")?.value.startsWith("csv_");

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || takesAway(form)) return;
    const now = Date.now();
    if (now - Number(form.dataset.sentAt ?? 0) < ONCE_WITHIN) {
      event.preventDefault();
      return;
    }
    form.dataset.sentAt = now;
    stop();
    ticking = setTimeout(show, SHOWN_AFTER, now);
  });
  window.addEventListener("pageshow", stop); // back from the next page
}
