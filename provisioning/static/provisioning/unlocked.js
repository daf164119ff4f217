/* Unlocked secrets: “until 14:05” counts down. Seconds come from the server, so that this clock need not be right. */
"use strict";
{
  const ends = new WeakMap();

  const said = (seconds) => {
    if (seconds <= 0) return "its time is over";
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    if (hours) return `for ${hours} h ${minutes} min`;
    return minutes ? `for ${minutes} min ${seconds % 60} s` : `for ${seconds} s`;
  };

  const tick = () => {
    for (const place of document.querySelectorAll("[data-seconds-left]")) {
      if (!ends.has(place)) {
        ends.set(place, performance.now() + 1000 * Number(place.dataset.secondsLeft));
        place.title = place.textContent;
      }
      place.textContent = said(Math.round((ends.get(place) - performance.now()) / 1000));
    }
  };

  document.addEventListener("DOMContentLoaded", tick);
  setInterval(tick, 1000);
}
