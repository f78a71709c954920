// A job that describes the chosen video: begun, followed, cancelled.

import { follow as followEvents, get, send } from "./api.js";
import { $, clock, element } from "./elements.js";

let stop = () => {};
let shown = null;

export async function showIndexing(video, onDone) {
  stop();
  shown = video;
  const box = $("index");
  box.replaceChildren();
  const active = (await get("/jobs")).find((job) => job.video === video.id && ["waiting", "running"].includes(job.state));
  if (shown !== video) return undefined; // Another one was chosen in the meantime.
  if (active) return follow(active, video, onDone);
  if (video.message) box.append(element("p", { class: "small" }, video.message));
  if (!video.described && ["new", "partly"].includes(video.state)) {
    box.append(start(video, onDone, video.state === "partly" ? "Go on describing this video" : "Describe this video, to ask it"));
    const said = forecastOf(await get(`/videos/${video.id}/estimate`).catch((error) => error.message));
    if (shown !== video || !$("describe")) return undefined;
    // The forecast has read the file, so that a copy of a described video is known for what it is.
    if ((await get(`/videos/${video.id}`)).described) {
      box.replaceChildren();
      return onDone();
    }
    box.append(element("p", { class: "small", id: "forecast" }, ...said));
  }
}

// What it would take, before it is done.
function forecastOf(told) {
  if (typeof told === "string") return [told];
  const minutes = told.minutes < 1 ? "less than a minute" : `about ${Math.round(told.minutes)} min`;
  const usd = told.usd == null ? "at an unknown price" : told.usd ? `about $${told.usd.toFixed(told.usd < 0.1 ? 4 : 2)}` : "free";
  const by = told.names_things ? told.captioner : "the classical describer, which sees light, cuts, motion and text, and does not name things";
  const said = `${minutes}, ${usd}, by ${by}.`.replace(/^./, (first) => first.toUpperCase());
  return told.names_things ? [said] : [said, " To set up a model that does: ", element("code", {}, "whenabouts setup")];
}

// A new video is described at once where that costs no money.
export async function beginIfFree(video, onDone) {
  const told = await get(`/videos/${video.id}/estimate`).catch(() => null);
  if (told?.usd === 0 && shown === video && $("describe")) await begin(video, onDone);
}

export async function begin(video, onDone) {
  try {
    follow(await send("POST", "/jobs", { video: video.id }), video, onDone);
  } catch (error) {
    $("index").replaceChildren(element("p", { class: "fault" }, error.message));
  }
}

const start = (video, onDone, words) =>
  element("button", { type: "button", class: "main", id: "describe", onclick: () => begin(video, onDone) }, words);

function follow(first, video, onDone) {
  stop();
  const show = (job) => {
    const box = $("index");
    if (job.state === "waiting") box.replaceChildren("Waiting for the video before it.", cancel(job));
    else if (job.state === "running") {
      const usd = job.usd == null ? "cost unknown" : job.usd ? `$${job.usd.toFixed(3)}` : "";
      const left = job.left_s == null ? "" : `about ${clock(job.left_s, 0)} left`;
      box.replaceChildren(
        element("progress", { max: job.total_s ?? 1, ...(job.total_s ? { value: job.seen_s } : {}), "aria-label": "Describing" }),
        element("span", { class: "small" }, [`${clock(job.seen_s, 0)} of ${clock(job.total_s, 0)} seen`, `${job.frames} frames`, `${job.captions} captions`, usd, left].filter(Boolean).join(" · ")), " ",
        cancel(job), job.message ? element("p", { class: "small" }, job.message) : "");
    } else {
      box.replaceChildren(element("p", { class: job.state === "failed" ? "fault" : "small" }, job.state === "done" ? job.message || "Described: ask it." : job.message));
      if (job.state !== "done") box.append(start(video, onDone, "Go on describing this video"));
      onDone(job);
    }
  };
  show(first);
  stop = followEvents("job", `/jobs/${first.id}/events`, (job) => {
    show(job);
    return ["waiting", "running"].includes(job.state);
  }, (why) => $("index").replaceChildren(element("p", { class: "fault", role: "alert" }, why)));
}

// Where the server does not answer, the stream of the job says so.
const cancel = (job) => element("button", { type: "button", onclick: () => send("POST", `/jobs/${job.id}/cancel`, {}).catch(() => {}) }, "Cancel");
