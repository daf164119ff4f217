/* The page of a host: the preview follows what is typed; empty fields are filled with the next free value. */
"use strict";
{
  const WAIT = 400; // milliseconds after the last key

  /* --- the preview --- */

  const follow = (panel, form) => {
    let timer = 0;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => panel.dispatchEvent(new CustomEvent("preview")), WAIT);
    };
    for (const name of ["input", "change", "formset:added", "formset:removed"]) {
      document.addEventListener(name, (event) => {
        if (event.target.name !== "why" && (form.contains(event.target) || name.startsWith("formset:"))) soon();
      });
    }
    /* select2 tells jQuery alone */
    window.django?.jQuery?.(form).on("change", "select", soon);

    /* what was unfolded stays unfolded */
    const open = new Map();
    panel.addEventListener("htmx:beforeSwap", () => {
      panel.querySelectorAll("details[data-key]").forEach((one) => open.set(one.dataset.key, one.open));
    });
    panel.addEventListener("htmx:afterSwap", () => {
      panel.querySelectorAll("details[data-key]").forEach((one) => {
        if (open.has(one.dataset.key)) one.open = open.get(one.dataset.key);
      });
    });
    const failed = () => {
      panel.innerHTML = '<p role="alert">The preview is not to be had just now; saving works as ever.</p>';
    };
    panel.addEventListener("htmx:responseError", failed);
    panel.addEventListener("htmx:sendError", failed);
  };

  /* --- next free values --- */

  const FILLED = /^(?:name|vmid|interfaces-\d+-(?:mac|ipv4))$/;

  /* only virtual machines have a VMID */
  const lacks = (field) =>
    field.name !== "vmid" || ["", "vm"].includes(field.form.elements.namedItem("form")?.value ?? "");
  const wrongOrEmpty = (field) => lacks(field) && (!field.value.trim() || field.closest(".errors"));

  const say = (field, text) => {
    let told = field.parentElement.querySelector(".mp-proposal-told");
    if (!told) {
      told = document.createElement("span");
      told.className = "mp-proposal-told";
      told.setAttribute("role", "status");
      field.parentElement.append(told);
    }
    told.textContent = text;
  };

  const put = (field, value) => {
    field.value = value;
    const beside = (name) => document.getElementsByName(field.name.replace(/[^-]+$/, name))[0];
    const kind = field.name.endsWith("-mac") ? beside("mac_kind") : null;
    const how = field.name.endsWith("-ipv4") ? beside("addressing") : null;
    if (kind) kind.value = "assigned";
    if (how) how.value = "static";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };

  const ask = async (address, form, field, button) => {
    const data = new FormData(form);
    data.set("_field", field.name);
    button.disabled = true;
    try {
      const answer = await fetch(address, { method: "POST", body: data, credentials: "same-origin" });
      const said = await answer.json();
      if (said.value) put(field, said.value);
      say(field, said.value ? "Proposed; it is yours once you save." : said.problem);
    } catch {
      say(field, "The next free value is not to be had just now.");
    } finally {
      button.disabled = false;
      offer(address, form, field);
    }
  };

  const offer = (address, form, field) => {
    const known = field.parentElement.querySelector(".mp-propose");
    if (known) {
      known.hidden = !wrongOrEmpty(field);
      return;
    }
    if (!wrongOrEmpty(field)) return;
    const button = document.createElement("button");
    const what = { name: "name", vmid: "VMID", mac: "MAC", ipv4: "address" }[field.name.replace(/.*-/, "")];
    button.type = "button";
    button.className = "mp-badge mp-propose";
    button.textContent = "Next free";
    button.setAttribute("aria-label", `Fill in the next free ${what}`);
    button.addEventListener("click", () => ask(address, form, field, button));
    field.insertAdjacentElement("afterend", button);
  };

  const offerAll = (address, form) => {
    for (const field of form.querySelectorAll("input[name]")) {
      if (FILLED.test(field.name) && !field.disabled && !field.readOnly) offer(address, form, field);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.getElementById("told");
    const form = document.getElementById("host_form");
    if (!panel || !form) return;
    if (panel.dataset.follows) follow(panel, form);
    const address = panel.dataset.propose;
    if (!address) return;
    offerAll(address, form);
    for (const name of ["input", "change", "formset:added"]) {
      document.addEventListener(name, () => offerAll(address, form));
    }
  });
}
