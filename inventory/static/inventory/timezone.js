/* Tells the server in which time zone this browser lives; the next page shows its times there. */
"use strict";

(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `mgmtplane_timezone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
})();
