/* The output of a run: however many lines there are, the page holds those that are looked at and a few around them. */
"use strict";
{
  const AROUND = 1; // pieces kept before and after what is seen
  const NEAR_END = 3; // lines from the end that still count as the end

  class Output {
    constructor(card) {
      this.card = card;
      this.pane = card.querySelector(".mp-term");
      this.all = card.querySelector(".mp-term-all");
      this.box = card.querySelector("#mp-follow");
      this.size = Number(card.dataset.piece);
      this.count = Number(card.dataset.lines);
      this.asking = new Map(); // number of a piece → how its request is given up
      this.pieces = new Map([...this.all.children].map((one) => [Number(one.dataset.number), one]));
      card.classList.add("mp-live");
      this.box.parentElement.hidden = false;
      this.spread();
      this.listen();
      const line = this.lineOf(location.hash) || Number(card.dataset.line);
      if (line && !card.dataset.query) this.goTo(line);
      else if (this.box.checked) this.toEnd();
      this.soon();
    }

    /* every line is as high as every other, so that the place of each is known before it is there */
    get height() {
      return this.all.getBoundingClientRect().height / Math.max(1, this.count);
    }

    spread() {
      this.all.style.setProperty("--lines", this.count);
      for (const [number, piece] of this.pieces) piece.style.setProperty("--first", number * this.size);
      this.pane.hidden = this.count === 0;
    }

    listen() {
      this.pane.addEventListener("scroll", () => this.scrolled(), { passive: true });
      this.box.addEventListener("change", () => {
        if (this.box.checked) this.toEnd();
      });
      this.watcher = new ResizeObserver(() => this.soon());
      this.watcher.observe(this.pane);
    }

    scrolled() {
      const left = this.pane.scrollHeight - this.pane.clientHeight - this.pane.scrollTop;
      /* only upwards: what is below grows by itself */
      if (this.pane.scrollTop < (this.top ?? 0) - 1 && left > NEAR_END * this.height) this.box.checked = false;
      this.top = this.pane.scrollTop;
      this.soon();
    }

    soon() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.show();
      });
    }

    /* bring what is seen, and let go of what is far away */
    show() {
      if (!this.card.isConnected || this.count === 0) return;
      const height = this.height || 1;
      const last = Math.floor((this.count - 1) / this.size);
      const at = (pixels) => Math.floor(pixels / height / this.size);
      const first = Math.max(0, at(this.pane.scrollTop) - AROUND);
      const end = Math.min(last, at(this.pane.scrollTop + this.pane.clientHeight) + AROUND);
      for (const [number, piece] of this.pieces) {
        if (number < first || number > end) this.drop(number, piece);
      }
      for (let number = first; number <= end; number += 1) this.bring(number);
    }

    drop(number, piece) {
      this.asking.get(number)?.abort();
      this.asking.delete(number);
      this.pieces.delete(number);
      piece.remove();
    }

    async bring(number) {
      const piece = this.pieces.get(number) ?? this.made(number);
      const wanted = Math.min(this.size, this.count - number * this.size);
      const here = piece.childElementCount;
      if (here >= wanted || this.asking.has(number)) return;
      const giveUp = new AbortController();
      this.asking.set(number, giveUp);
      try {
        const address = `${this.card.dataset.parts}?${this.card.dataset.query}&piece=${number}&from=${here}`;
        const answer = await fetch(address, { credentials: "same-origin", signal: giveUp.signal });
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        piece.insertAdjacentHTML("beforeend", (await answer.text()).trim());
        piece.removeAttribute("aria-busy");
        this.mark();
      } catch {
        piece.dataset.failed = "1"; // the next look asks again
      } finally {
        if (this.asking.get(number) === giveUp) this.asking.delete(number);
      }
    }

    made(number) {
      const piece = document.createElement("div");
      piece.className = "mp-piece";
      piece.dataset.number = number;
      piece.setAttribute("aria-busy", "true");
      piece.style.setProperty("--first", number * this.size);
      this.pieces.set(number, piece);
      const after = [...this.all.children].find((one) => Number(one.dataset.number) > number);
      this.all.insertBefore(piece, after ?? null);
      return piece;
    }

    /* there are more lines than before */
    grown(count) {
      if (count <= this.count) return;
      const began = this.count === 0;
      this.count = count;
      document.getElementById("mp-lines").textContent = count;
      if (began) document.getElementById("mp-nothing")?.remove();
      this.spread();
      if (this.box.checked) this.toEnd();
      this.soon();
    }

    toEnd() {
      this.pane.scrollTop = this.pane.scrollHeight;
      this.top = this.pane.scrollTop;
    }

    lineOf(hash) {
      return Number(/^#line-(\d{1,9})$/.exec(hash)?.[1] ?? 0);
    }

    goTo(line) {
      this.box.checked = false;
      this.marked = line;
      this.pane.scrollTop = Math.max(0, (line - 4) * this.height);
      this.top = this.pane.scrollTop;
      this.mark();
      this.soon();
    }

    mark() {
      this.all.querySelector(".mp-marked")?.classList.remove("mp-marked");
      if (this.marked) document.getElementById(`line-${this.marked}`)?.classList.add("mp-marked");
    }
  }

  let output = null;

  const begin = () => {
    const card = document.getElementById("mp-output");
    if (!card || output?.card === card) return;
    output?.watcher.disconnect();
    output = new Output(card);
  };

  /* a line is looked at in everything; under a filter the page is left for it */
  const leads = (event) => {
    const link = event.target.closest?.("a[href*='#line-']");
    if (!link || !output || output.card.dataset.query || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    output.goTo(output.lineOf(link.hash));
    output.pane.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("DOMContentLoaded", () => {
    begin();
    document.addEventListener("click", leads);
    document.addEventListener("submit", (event) => {
      const line = event.target.id === "mp-goto" ? Number(event.target.elements.line.value) : 0;
      if (!line || !output || output.card.dataset.query) return;
      event.preventDefault();
      history.replaceState(null, "", `?line=${line}#line-${line}`);
      output.goTo(Math.min(line, output.count));
    });
    document.addEventListener("htmx:afterSettle", begin);
    document.addEventListener("htmx:afterRequest", () => {
      const pulse = document.getElementById("mp-pulse");
      if (pulse && output && pulse.dataset.query === output.card.dataset.query) output.grown(Number(pulse.dataset.lines));
      output?.soon();
    });
  });
}
