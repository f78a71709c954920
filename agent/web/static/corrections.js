// The rows that people corrected: listed, taken back, exported.

import { get, send } from "./api.js";
import { $, clock, element } from "./elements.js";

export async function showCorrections() {
  draw((await get("/corrections")).rows);
  $("corrections").showModal();
}

function draw(rows) {
  $("rows").replaceChildren(...rows.map((row) => element("tr", {},
    element("td", {}, row.video), element("td", {}, row.query),
    element("td", {}, row.start == null ? "never" : clock(row.start)), element("td", {}, row.end == null ? "" : clock(row.end)),
    element("td", {}, element("button", {
      type: "button", "aria-label": `Take back ${row.query}`,
      onclick: async () => draw((await send("POST", "/corrections/withdraw", { video: row.video, query: row.query })).rows),
    }, "Take back")))));
  if (!rows.length) $("rows").append(element("tr", {}, element("td", { colspan: 5 }, "Nothing has been corrected yet.")));
}
