"use strict";
// Hides what does not have every word of the search; “/” leads into the field, ?q=word searches at once.
const field = document.getElementById("search");
const number = document.getElementById("number");
const all = [...document.querySelectorAll(".found")];
// MACs are found with colons, dashes or dots
const bare = text => text.replace(/[:.\-]/g, "");
const texts = all.map(one => one.textContent.toLowerCase());
const bares = texts.map(bare);
const isMac = word => /^[0-9a-f]{2}([:\-.]?[0-9a-f]{2}){2,5}$/.test(word);

function look() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    all.forEach((one, at) => {
        const hit = words.every(word => texts[at].includes(word) || (isMac(word) && bares[at].includes(bare(word))));
        one.hidden = !hit;
        seen += hit;
    });
    number.textContent = words.length ? ` ${seen} of ${all.length}` : "";
}

field.closest("label").hidden = !all.length;
field.addEventListener("input", look);
document.addEventListener("keydown", event => {
    if (event.key === "/" && all.length && document.activeElement !== field) {
        event.preventDefault();
        field.focus();
    }
});
const asked = new URLSearchParams(location.search).get("q");
if (asked) {
    field.value = asked;
    look();
}
