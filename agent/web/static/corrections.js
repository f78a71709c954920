// The rows that people corrected: listed, taken back, exported.

import { get, send } from "./api.js";
import { $, clock, element } from "./elements.js";

export async function showCorrections() {
  draw((await get("/corrections")).rows);
  $("corrections").showModal();
}

async function takeBack({ video, query }) {
  try {
    draw((await send("POST", "/corrections/withdraw", { video, query })).rows);
  } catch (error) {
    $("rows").append(element("tr", {}, element("td", { colspan: 5, class: "fault", role: "alert" }, error.message)));
  }
}

function draw(rows) {
  $("rows").replaceChildren(...rows.map((row) => element("tr", {},
    element("td", {}, row.video), element("td", {}, row.query),
    element("td", {}, row.start == null ? "never" : clock(row.start)), element("td", {}, row.end == null ? "" : clock(row.end)),
    element("td", {}, element("button", {
      type: "button", "aria-label": `Take back ${row.query}`,
      onclick: () => takeBack(row),
    }, "Take back")))));
  if (!rows.length) $("rows").append(element("tr", {}, element("td", { colspan: 5 }, "Nothing has been corrected yet.")));
}
