// A video by its link: what it leads to is said with its size, and fetched once that is agreed to.

import { follow, get, send } from "./api.js";
import { $, element } from "./elements.js";

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
let stop = () => {};

export async function takeLinks(onVideo) {
  // Without yt-dlp a link could only be refused.
  if (!await get("/links/available").catch(() => false)) return;
  $("link-form").hidden = false;
  $("link-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      show(await send("POST", "/links", { link: $("link").value.trim() }), onVideo);
    } catch (error) { say(error.message, true); }
  });
  // One that was begun before the page was loaded again.
  const job = (await get("/links").catch(() => [])).findLast((one) => ["looking", "offered", "fetching"].includes(one.state));
  if (job) show(job, onVideo);
}

function show(first, onVideo) {
  stop();
  draw(first);
  stop = follow("link", `/links/${first.id}/events`, (job) => {
    draw(job);
    if (job.state === "done") { $("link").value = ""; onVideo({ id: job.video }); }
    return ["looking", "offered", "fetching"].includes(job.state);
  }, (why) => say(why, true));
}

const say = (text, isFault) => $("link-job").replaceChildren(
  isFault ? element("span", { class: "fault", role: "alert" }, text) : text);

function draw(job) {
  const act = (what, words, kind) => element("button", { type: "button", class: kind, onclick: () =>
    send("POST", `/links/${job.id}/${what}`, {}).catch((error) => say(error.message, true)) }, words);
  const size = job.size_bytes == null ? "of a size that the site does not say" : megabytes(job.size_bytes);
  const shown = {
    looking: () => [element("p", { class: "small" }, `Looking at ${job.link} …`), act("cancel", "Cancel")],
    offered: () => [element("p", { class: "small" }, `${job.offer}, ${size}. It is fetched with yt-dlp and kept on the server’s disk.`),
      element("div", { class: "row" }, act("agree", job.size_bytes == null ? "Fetch it" : `Fetch ${size}`, "main"), act("cancel", "Leave it"))],
    fetching: () => [
      element("progress", { max: job.size_bytes ?? 1, ...(job.size_bytes ? { value: Math.min(job.held_bytes, job.size_bytes) } : {}), "aria-label": "Fetching" }),
      element("p", { class: "small" }, `${megabytes(job.held_bytes)} of ${size} fetched`), act("cancel", "Cancel")],
    done: () => [element("p", { class: "small" }, `${job.link} is here.`)],
    cancelled: () => [element("p", { class: "small" }, `${job.link}: ${job.message}`)],
    failed: () => [element("span", { class: "fault", role: "alert" }, job.message)],
  }[job.state]();
  // The same buttons stay where they are: one may have the focus.
  const box = $("link-job");
  if (job.state !== box.dataset.state || job.state !== "fetching" || !box.querySelector("progress")) box.replaceChildren(...shown);
  else { box.querySelector("progress").replaceWith(shown[0]); box.querySelector("p").replaceWith(shown[1]); }
  box.dataset.state = job.state;
}
