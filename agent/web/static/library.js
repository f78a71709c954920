// The list of videos, and how new ones come in.

import { get, thumbnail, upload } from "./api.js";
import { $, clock, element } from "./elements.js";

const SAYS = { ready: "ready", new: "not described yet", partly: "described in part", unusable: "cannot be read", gone: "file is gone" };

const who = (model) => (model.startsWith("file:") ? "a captions file" : model.startsWith("classical") ? "the classical describer" : model.slice(0, 24));

export async function showList(current, onChoose) {
  const videos = await get("/videos");
  $("videos").replaceChildren(...videos.map((video) => {
    const usable = !["unusable", "gone"].includes(video.state);
    const poster = usable
      ? element("img", { src: thumbnail(video.id, (video.duration_s ?? 0) / 3, { width: 192 }), alt: "", loading: "lazy" })
      : element("span", { class: "noposter" });
    const by = video.described_by.length ? `${video.captions} captions by ${[...new Set(video.described_by.map(who))].join(", ")}` : "";
    return element("li", {}, element("button", {
      type: "button", "data-video": video.id, "aria-current": String(video.id === current), onclick: () => onChoose(video),
    }, poster, element("span", {},
      element("span", { class: "name" }, video.name), element("br"),
      element("span", { class: "small" }, [clock(video.duration_s, 0), SAYS[video.state] ?? video.state, by].filter(Boolean).join(" · ")))));
  }));
  if (!videos.length) $("videos").append(element("li", { class: "small" }, "There is no video yet."));
  return videos;
}

export function takeUploads(onVideo) {
  const take = async (file) => {
    if (!file) return;
    const bar = element("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    $("upload").replaceChildren(`Sending ${file.name}`, bar);
    try {
      const video = await upload(file, (share) => { bar.value = share; });
      $("upload").replaceChildren(`${video.name} is here.`);
      await onVideo(video);
    } catch (error) {
      $("upload").replaceChildren(element("span", { class: "fault", role: "alert" }, error.message));
    }
  };
  $("file").addEventListener("change", () => { take($("file").files[0]); $("file").value = ""; });
  const drop = $("drop");
  // A file dropped beside the box would replace the page.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
  window.addEventListener("dragover", () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) window.addEventListener(kind, () => drop.classList.remove("over"));
  window.addEventListener("drop", (event) => take(event.dataTransfer?.files[0]));
}
