// The page: which video is shown, what is asked of it, and how answer and player go together.

import { answerCard } from "./answer.js";
import { events, get, send, url } from "./api.js";
import { showCorrections } from "./corrections.js";
import { $, clock, element } from "./elements.js";
import { beginIfFree, showIndexing } from "./indexing.js";
import { takeLinks } from "./links.js";
import { showList, takeUploads } from "./library.js";
import { span, Timeline } from "./timeline.js";

const STEPS = { watch: "watch", retrieve: "retrieve", direct: "ask a video model", reason: "reason", look_up: "look up", check: "check", verify: "judge", refine: "look closer", fall_back: "fall back", answer: "answer" };

const player = $("player");
const page = { video: null, kept: null, intervals: [], current: -1, looping: false, asking: null, turn: null, after: "" };
const timeline = new Timeline({
  onSeek: seek,
  onPick: pick,
  onEdges: (index, side, isLast) => { seek(page.intervals[index][side]); if (isLast) show(index); },
});
const at = { onPick: pick, onSeek: seek, onLoop: loop, onShare: share, onSave: () => correct(page.intervals), onWrong: wrong, isLooping: () => page.looping };

// Times here begin with the first picture; a player's clock begins with the file.
const offset = () => page.video?.file_start_s ?? 0;
function seek(time) { player.currentTime = time + offset(); }
const now = () => Math.max(0, player.currentTime - offset());

async function choose(video, { query = "", time = null } = {}) {
  page.asking?.abort();
  Object.assign(page, { video, kept: null, turn: null, intervals: [], current: -1, looping: false });
  $("follow").hidden = true;
  $("stage").hidden = $("talk").hidden = false;
  $("empty").hidden = true;
  $("title").textContent = $("title").title = video.name;
  document.title = `${video.name} – whenabouts`;
  $("steps").hidden = true;
  $("answer").replaceChildren();
  $("shown").replaceChildren();
  fault("");
  note("");
  isOlder(false);
  player.src = url(`/videos/${video.id}/file`);
  player.load();
  if (time != null) player.addEventListener("loadedmetadata", () => seek(time), { once: true });
  timeline.clear(video.id, video.duration_s ?? 0);
  showCourse();
  address();
  for (const button of $("videos").querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.video === video.id));
  $("query").value = query;
  await showIndexing(video, ended).catch((error) => fault(error.message));
  await showEarlier();
  if (query && video.described) await ask(time == null);
}

async function ended() {
  const videos = await showList(page.video?.id, choose);
  const now = videos.find((one) => one.id === page.video?.id);
  if (now?.described) fault(""); // That it was not described is no longer so.
  if (now) { page.video = now; timeline.duration ||= now.duration_s; showCourse(); }
}

// Cuts and subtitles: the page works without them.
async function showCourse() {
  const { id } = page.video;
  const course = await get(`/videos/${id}/timeline`).catch(() => null);
  if (course && page.video.id === id) timeline.setCourse(course);
}

const ask = (mayJump = true) => tell("ask", { query: $("query").value, every_time: $("every").checked }, (kept) => receive(kept, mayJump));
const followUp = () => tell("follow-up", { said: $("said").value, after: page.after }, receiveTurn);

// Sends a question, shows the steps as they happen, and hands over the answer.
async function tell(how, body, onAnswer) {
  page.asking?.abort();
  const asking = page.asking = new AbortController();
  fault("");
  note("");
  isOlder(false);
  $("steps").replaceChildren();
  $("steps").hidden = false;
  $("answer").setAttribute("aria-busy", "true");
  try {
    for await (const [name, values] of events(`/videos/${page.video.id}/${how}/events`, body, asking.signal)) {
      if (name === "answer") { onAnswer(values); return; }
      if (name === "fault") { failed(values.detail); return; }
      if (name === "note") { note(values.detail); $("said").value = ""; $("steps").hidden = true; isOlder(true); return; }
      step(name, values);
    }
    if (!asking.signal.aborted) failed("The server stopped in the middle of the answer. Start it again and ask again; nothing that was there is lost.");
  } catch (error) {
    if (error.name !== "AbortError") failed(error instanceof TypeError ? "The connection broke in the middle of the answer. Ask again." : error.message);
  } finally {
    $("answer").removeAttribute("aria-busy");
    for (const one of $("steps").children) one.classList.remove("now");
  }
}

// What stands below was no reply to this.
function failed(message) {
  fault(message);
  isOlder(true);
}

function isOlder(older) {
  $("older").hidden = !older || !$("answer").hasChildNodes();
  for (const one of [$("answer"), $("shown")]) one.classList.toggle("older", older);
  if (older) ($("note").hidden ? $("fault") : $("note")).scrollIntoView({ block: "nearest" });
}

function step(name, values) {
  for (const one of $("steps").children) one.classList.remove("now");
  const said = {
    step: () => STEPS[values.node] ?? values.node,
    refusal: () => `refused: ${values.message}`,
    understood: () => `understood: ${values.words}`,
    retry: () => `${values.message}; trying again (${values.attempt} of ${values.attempts})`,
    look_up: () => `looked up: ${values.tool}`,
    progress: () => `described ${clock(values.seen_s, 0)} of ${clock(values.total_s, 0)}`,
  }[name]?.();
  if (!said) return;
  const last = $("steps").lastChild;
  if (["progress", "retry"].includes(name) && last?.dataset.kind === name) { last.textContent = said; last.classList.add("now"); }
  else $("steps").append(element("li", { class: `now${["refusal", "retry"].includes(name) ? " refused" : ""}`, "data-kind": name }, said));
}

function receive(kept, mayJump = true) {
  fault("");
  note("");
  isOlder(false);
  Object.assign(page, { kept, turn: null, after: kept.id });
  page.intervals = kept.answer.intervals.map((one) => ({ ...one }));
  page.looping = false;
  show(page.intervals.length ? 0 : -1);
  if (kept.answer.verdict === "found" && mayJump) seek(page.intervals[0].start_s);
  showCurve();
  followBegins();
  address();
  showEarlier();
}

// A follow-up picks from an answer, or brings one of its own.
function receiveTurn({ id, turn, kept }) {
  const [result] = turn.results;
  const known = (kept ?? page.kept).answer.intervals;
  Object.assign(page, { kept: kept ?? page.kept, turn, after: id, looping: false });
  page.intervals = result.intervals.map((one) => known.find((other) => other.start_s === one.start_s && other.end_s === one.end_s)
    ?? { ...one, evidence: one.shows ? [{ role: "start", start_s: one.start_s, text: one.shows, source: "" }] : [] });
  show(page.intervals.length ? 0 : -1);
  const isToPlay = turn.follow_up.kind === "recap" && /\b(play|loop|show|see)\b/i.test(turn.said);
  if ((result.outcome === "found" || isToPlay) && page.intervals.length) seek(page.intervals[0].start_s);
  if (isToPlay && page.intervals.length) player.play().catch(() => {});
  if (kept) showCurve();
  followBegins();
  $("answer").scrollIntoView({ block: "start" });
}

function followBegins() {
  $("follow").hidden = !page.after;
  $("said").value = "";
}

const CURVES = {
  described: "how well it fits", measured: "how well what is measured fits",
  said: "how well what is said fits", written: "how well text on the screen fits",
};

async function showCurve() {
  const { id } = page.kept;
  timeline.setCurve([]);
  const points = id && await get(`/answers/${id}/relevance`).catch(() => []);
  if (page.kept?.id !== id) return;
  timeline.setCurve(points || []);
  $("curve-of").textContent = CURVES[points?.[0]?.of] || CURVES.described;
}

function show(current) {
  page.current = current;
  timeline.show(page.kept.answer, page.intervals, current);
  $("shown").replaceChildren();
  $("answer").replaceChildren(answerCard(page.kept, page.turn, page.intervals, current, at));
  placeEvidence();
}

// On a wide screen the pictures lie below the player, where there is room; else in the answer.
const wide = matchMedia("(min-width: 1081px)");
function placeEvidence() {
  const pictures = document.querySelector(".evidence");
  if (pictures) (wide.matches ? $("shown") : document.querySelector("#answer .slot")).replaceChildren(pictures);
}
wide.addEventListener("change", placeEvidence);

function pick(index) {
  if (!page.intervals[index]) return;
  show(index);
  seek(page.intervals[index].start_s);
}

function loop() {
  page.looping = !page.looping;
  show(page.current);
  if (page.looping) { seek(page.intervals[page.current].start_s); player.play(); }
}

function setEdge(side) {
  if (page.current < 0) return;
  page.intervals[page.current][side] = timeline.limit(side, now());
  show(page.current);
}

async function correct(intervals) {
  try {
    const { query } = page.kept.answer;
    await send("PUT", "/corrections", { video: page.video.id, query, intervals: intervals.map((one) => [one.start_s, one.end_s]) });
    const said = intervals.length ? `that it happens at ${intervals.map(span).join(", ")}` : "that it never happens";
    $("answer").append(element("p", { class: "small", role: "status", id: "noted" }, `Noted ${said}.`));
  } catch (error) { fault(error.message); }
}

// Without an interval, one is put where the player is, to drag and confirm.
function wrong() {
  if (page.current >= 0) { correct([]); return; }
  const start = Math.min(now(), Math.max(0, timeline.duration - 2));
  page.intervals = [{ start_s: start, end_s: Math.min(timeline.duration, start + 2), confidence: null, evidence: [] }];
  show(0);
}

async function showEarlier() {
  const { id } = page.video;
  const answers = await get(`/videos/${id}/answers?limit=12`).catch(() => []);
  if (page.video.id !== id) return;
  const newest = answers.filter((kept, at) => answers.findIndex((one) => one.answer.query === kept.answer.query) === at);
  $("earlier-title").hidden = !newest.length;
  $("earlier").replaceChildren(...newest.map((kept) => element("li", {}, element("button", {
    type: "button", onclick: () => { $("query").value = kept.answer.query; $("steps").hidden = true; receive(kept); },
  }, kept.answer.query, " ", element("span", { class: "small" }, kept.answer.intervals[0] ? span(kept.answer.intervals[0]) : kept.answer.verdict.replace("_", " "))))));
}

function address(withTime = false) {
  const query = new URLSearchParams({ v: page.video.id });
  if (page.kept) query.set("q", page.kept.answer.query);
  if (withTime) query.set("t", now().toFixed(1));
  history.replaceState(null, "", `?${query}`);
}

async function share() {
  address(true);
  try {
    await navigator.clipboard.writeText(location.href);
    $("clock").textContent = "The link is copied.";
  } catch { $("clock").textContent = `The link is in the address bar.`; }
}

function fault(message) {
  $("fault").textContent = message;
  $("fault").hidden = !message;
}

function note(message) {
  $("note").textContent = message;
  $("note").hidden = !message;
}

function keys(event) {
  if (event.key === "Escape" && event.target.matches("#query, #said")) event.target.blur();
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const frame = 1 / (page.video?.frame_rate_hz || 25);
  const acts = {
    "?": () => $("help").showModal(),
    "/": () => $("query").focus(),
    " ": () => (player.paused ? player.play() : player.pause()),
    ArrowLeft: () => seek(now() - (event.shiftKey ? frame : 1)), ArrowRight: () => seek(now() + (event.shiftKey ? frame : 1)),
    ",": () => seek(now() - frame), ".": () => seek(now() + frame),
    n: () => pick((page.current + 1) % page.intervals.length), p: () => pick((page.current + page.intervals.length - 1) % page.intervals.length),
    l: () => page.current >= 0 && loop(), "[": () => setEdge("start_s"), "]": () => setEdge("end_s"),
  };
  const act = acts[event.key];
  // Space presses the button that has the focus.
  if (!act || (event.key === " " && event.target.matches("button, a, summary"))) return;
  if (!page.video && !"?/".includes(event.key)) return;
  event.preventDefault();
  act();
}

player.addEventListener("timeupdate", () => {
  timeline.tick(now());
  $("clock").textContent = `${clock(now())} of ${clock(timeline.duration || player.duration)}`;
  const one = page.intervals[page.current];
  if (page.looping && one && (now() >= one.end_s || now() < one.start_s - 0.5)) seek(one.start_s);
});
player.addEventListener("error", () => {
  // Of what cannot be read at all, the list and the page have said so.
  if (page.video && page.video.state !== "unusable") fault("This browser cannot play the file, or it is gone. The answers and pictures still work; Clip makes a piece that plays.");
});
document.addEventListener("keydown", keys);
$("ask").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
$("follow").addEventListener("submit", (event) => { event.preventDefault(); followUp(); });
$("show-help").addEventListener("click", () => $("help").showModal());
$("show-corrections").addEventListener("click", () => showCorrections().catch((error) => fault(error.message)));
async function arrived({ id }) {
  const video = (await showList(id, choose)).find((one) => one.id === id);
  await choose(video);
  if (!video.described) await beginIfFree(video, ended);
}
takeUploads(arrived);
takeLinks(arrived);

const asked = new URLSearchParams(location.search);
try {
  const videos = await showList(asked.get("v"), choose);
  const wanted = videos.find((video) => video.id === asked.get("v"));
  const time = asked.has("t") && Number.isFinite(Number(asked.get("t"))) ? Number(asked.get("t")) : null;
  if (wanted) await choose(wanted, { query: asked.get("q") ?? "", time });
  else if (asked.get("v")) $("empty").textContent = "The video of this link is not here any more; choose another one.";
} catch (error) {
  $("empty").textContent = error.message;
}
document.body.dataset.ready = "true";
