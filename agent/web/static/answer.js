// An answer in full: verdict, intervals, evidence with pictures, and what it cost.

import { thumbnail, url } from "./api.js";
import { clock, element } from "./elements.js";
import { span } from "./timeline.js";

const VERDICTS = { found: "found", not_found: "not in this video", cannot_tell: "cannot tell", read: "what the captions say", cut: "clip", failed: "not possible" };
const FORMS = { edl: "EDL", fcpxml: "FCPXML", csv: "CSV", vtt: "WebVTT", chapters: "chapters" };

export function confidence(one) {
  if (one.sure) return one.sure;
  if (one.confidence == null) return "";
  const word = one.confidence >= 0.8 ? "very likely" : one.confidence >= 0.5 ? "likely" : one.confidence >= 0.3 ? "possible" : "unsure";
  return `${word} (${one.confidence.toFixed(2)})`;
}

// kept: an answer; turn: the follow-up that it was made for, if it was made for one.
export function answerCard(kept, turn, intervals, current, at) {
  const { answer, video } = kept;
  const best = intervals[current];
  const verdict = turn?.results[0].outcome ?? answer.verdict;
  const card = element("article", { class: "card" },
    element("h3", {}, `“${turn?.said ?? answer.query}”`),
    element("span", { class: `badge ${verdict}` }, VERDICTS[verdict] ?? verdict), " ",
    element("span", { class: "small" }, best ? confidence(best) : answer.presence == null ? "" : `it is here with a probability of ${answer.presence.toFixed(2)}`));
  if (turn) {
    card.append(element("p", { class: "small" }, `Understood as: ${turn.understood}`));
    // Where the words are the interval alone, its button says it.
    if (turn.results[0].words !== intervals.map(span).join(", ")) card.append(element("p", {}, turn.results[0].words));
  }
  if (intervals.length) {
    card.append(element("div", { class: "intervals" }, ...intervals.map((one, index) => element("button", {
      type: "button", "aria-pressed": String(index === current), onclick: () => at.onPick(index),
    }, span(one)))));
  }
  if (best) card.append(element("div", { class: "slot" }, evidence(video, best, at)));
  for (const one of turn?.results[0].captions ?? []) card.append(element("p", { class: "small" }, `${span(one)} ${one.text}`));
  if (turn) { card.append(tools(kept, best, at, turn)); return card; }
  if (answer.reasoning) card.append(element("p", {}, answer.reasoning));
  if (answer.advice) card.append(element("p", { class: "small lines" }, answer.advice));
  if (answer.closest_rejected) {
    const one = answer.closest_rejected;
    card.append(element("p", { class: "small" }, "closest, and not good enough: ",
      element("button", { type: "button", onclick: () => at.onSeek(one.start_s) }, span(one))));
  }
  card.append(tools(kept, best, at), folded(answer));
  return card;
}

function evidence(video, one, at) {
  return element("div", { class: "evidence" }, ...one.evidence.map((caption) => element("button", { type: "button", onclick: () => at.onSeek(caption.start_s) },
      element("img", { src: thumbnail(video, caption.start_s, { exact: true }), alt: "", loading: "lazy" }),
      element("span", {}, element("span", { class: "role" }, caption.role), ` ${clock(caption.start_s)} `,
        element("span", { class: "small" }, caption.source), element("br"), caption.text))));
}

function tools(kept, best, at, turn = null) {
  const row = element("div", { class: "tools" });
  if (best) {
    const clip = url(`/videos/${kept.video}/clip?start=${best.start_s}&end=${best.end_s}`);
    row.append(
      element("button", { type: "button", "aria-pressed": String(at.isLooping()), onclick: at.onLoop }, "Loop"),
      element("a", { href: clip, download: "", class: turn?.results[0].outcome === "cut" ? "main" : "" }, "Clip"));
  }
  if (turn) return row;
  if (!kept.id) row.append(element("p", { class: "fault" }, "The disk is full: this answer is not kept. Free some space, and ask again to take it away."));
  else row.append(
    element("a", { href: url(`/answers/${kept.id}`), download: `answer-${kept.id}.json` }, "JSON"),
    element("button", { type: "button", onclick: at.onShare }, "Copy link"));
  if (best) row.append(element("button", { type: "button", class: "main", onclick: at.onSave, id: "save" }, "These times are right"));
  row.append(element("button", { type: "button", onclick: at.onWrong, id: "wrong" }, best ? "Wrong: it never happens" : "Wrong: it is here"));
  if (best && kept.id) {
    row.append(element("details", { class: "markers" }, element("summary", {}, "Markers for an editor"),
      ...Object.entries(FORMS).map(([form, name]) => element("a", { href: url(`/answers/${kept.id}/markers/${form}`), download: "" }, name))));
  }
  return row;
}

function folded(answer) {
  const { usage, models, coverage } = answer;
  const seconds = Object.values(usage.seconds).reduce((sum, one) => sum + one, 0);
  const usd = usage.usd == null ? "unknown" : `$${usage.usd.toFixed(4)}`;
  return element("details", {}, element("summary", {}, "How it was decided, and what it cost"),
    element("p", {}, `Decided by ${answer.by === "llm" ? models.reasoner : answer.by}; captions by ${models.captioner}.`),
    element("p", {}, `${seconds.toFixed(2)} s, ${usage.tokens_in + usage.tokens_out} tokens, ${usd}, ${usage.captions} new captions; ${clock(coverage.seen_s)} of ${clock(answer.video.duration_s)} seen.`),
    ...answer.sources.map((one) => element("p", {}, `${one.kind} (${one.name}): ${VERDICTS[one.verdict]}${one.answers ? ", and answers" : ""}${one.agrees === false ? ", and does not agree" : ""}`)),
    ...answer.look_ups.map((one) => element("p", {}, `looked up with ${one.tool}: ${JSON.stringify(one.arguments)}`)),
    ...answer.refusals.map((one) => element("p", { class: "fault" }, `reply ${one.attempt} was refused (${one.kind}): ${one.message}`)),
    answer.warning ? element("p", { class: "fault" }, answer.warning) : null);
}
