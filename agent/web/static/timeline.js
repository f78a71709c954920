// One timeline: how well each moment fits, candidates as bars, cuts, what is said, gaps hatched, and
// answered intervals with edges to drag.

import { thumbnail } from "./api.js";
import { $, clock, element } from "./elements.js";

const STEP_S = 0.1;

export class Timeline {
  constructor({ onSeek, onPick, onEdges }) {
    this.at = { onSeek, onPick, onEdges };
    this.box = $("timeline");
    this.clear(null, 0);
    this.box.addEventListener("click", (event) => {
      if (event.target === this.box || event.target.closest(".lane, .curve, .cut, .said, .gap") && !event.target.closest("button")) onSeek(this.time(event));
    });
    this.box.addEventListener("pointermove", (event) => this.preview(event));
    this.box.addEventListener("pointerleave", () => this.hidePreview());
  }

  clear(video, duration) {
    [this.video, this.duration, this.answer, this.intervals] = [video, duration, null, []];
    [this.cuts, this.said, this.curve] = [[], [], []];
    this.draw(-1);
  }

  setCourse({ cuts_s, said }) {
    [this.cuts, this.said] = [cuts_s, said];
    this.draw(this.current);
  }

  setCurve(points) {
    this.curve = points;
    this.draw(this.current);
  }

  show(answer, intervals, current) {
    [this.answer, this.intervals] = [answer, intervals];
    this.duration = answer.video.duration_s;
    this.draw(current);
  }

  draw(current) {
    this.current = current;
    const bars = element("div", { class: "lane bars" });
    const answers = element("div", { class: "lane answers" });
    for (const gap of this.answer?.coverage.gaps ?? []) {
      bars.append(element("span", { class: "gap", title: `nobody looked here${gap.reason ? `: ${gap.reason}` : ""}`, ...this.place(gap) }));
    }
    if (this.curve.length) bars.append(this.curveShape());
    if (this.duration) {
      for (const cut of this.cuts) bars.append(element("span", { class: "cut", title: `cut at ${clock(cut)}`, left: this.percent(cut) }));
      for (const line of this.said) bars.append(element("span", { class: "said", title: line.text, ...this.place(line) }));
    }
    for (const one of this.answer?.candidates ?? []) {
      bars.append(element("button", {
        type: "button", class: "bar", tabindex: -1, height_: `${12 + 88 * one.confidence}%`, ...this.place(one),
        "aria-label": `candidate ${span(one)}, confidence ${one.confidence.toFixed(2)}`, title: `candidate ${span(one)}, ${one.confidence.toFixed(2)}`,
        onclick: () => this.at.onSeek(one.start_s),
      }));
    }
    this.intervals.forEach((one, index) => {
      answers.append(element("button", {
        type: "button", class: `span${index === current ? " current" : ""}`, ...this.place(one),
        "aria-label": `interval ${index + 1}, ${span(one)}`, onclick: () => this.at.onPick(index),
      }));
    });
    if (this.intervals[current]) for (const side of ["start_s", "end_s"]) answers.append(this.edge(side));
    this.head = element("span", { class: "head" });
    this.box.replaceChildren(bars, answers, this.head);
    this.tick(this.now ?? 0);
  }

  curveShape() {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const area = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const at = (time, value) => `${(1000 * time / this.duration).toFixed(1)} ${(100 - 94 * value).toFixed(1)}`;
    const steps = this.curve.flatMap((one) => [`L${at(one.start_s, one.value)}`, `L${at(one.end_s, one.value)}`]);
    area.setAttribute("d", `M${at(this.curve[0].start_s, 0)} ${steps.join(" ")} L${at(this.curve.at(-1).end_s, 0)} Z`);
    for (const [name, value] of [["viewBox", "0 0 1000 100"], ["preserveAspectRatio", "none"], ["class", "curve"], ["aria-hidden", "true"]]) shape.setAttribute(name, value);
    shape.append(area);
    return shape;
  }

  edge(side) {
    const one = this.intervals[this.current];
    const handle = element("button", {
      type: "button", class: "edge", left: this.percent(one[side]), role: "slider", "data-edge": side,
      "aria-label": side === "start_s" ? "start of the interval" : "end of the interval",
      "aria-valuemin": 0, "aria-valuemax": this.duration, "aria-valuenow": one[side], "aria-valuetext": clock(one[side]),
    });
    const move = (time, isLast) => {
      const moved = this.limit(side, time);
      one[side] = moved;
      handle.style.left = this.percent(moved);
      this.at.onEdges(this.current, side, isLast);
    };
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.onpointermove = (moved) => move(this.time(moved), false);
      handle.onpointerup = (moved) => { handle.onpointermove = handle.onpointerup = null; move(this.time(moved), true); };
    });
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -STEP_S, ArrowRight: STEP_S }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      move(one[side] + by, true);
      this.box.querySelector(`[data-edge=${side}]`)?.focus();
    });
    return handle;
  }

  limit(side, time) {
    const one = this.intervals[this.current];
    return side === "start_s" ? Math.max(0, Math.min(time, one.end_s - STEP_S)) : Math.min(this.duration, Math.max(time, one.start_s + STEP_S));
  }

  tick(time) {
    this.now = time;
    if (this.duration) this.head.style.left = this.percent(Math.min(time, this.duration));
  }

  preview(event) {
    if (!this.video || !this.duration) return;
    const time = this.time(event);
    if (!this.tip) this.tip = element("div", { class: "preview", "aria-hidden": "true" }, element("img", { alt: "" }), element("span"));
    if (!this.tip.isConnected) this.box.append(this.tip);
    this.box.classList.add("preview-on");
    this.tip.style.left = this.percent(time);
    const line = this.said.find((one) => one.start_s <= time && time < one.end_s);
    this.tip.lastChild.textContent = line ? `${clock(time)} “${line.text.slice(0, 80)}”` : clock(time);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.tip.firstChild.src = thumbnail(this.video, Math.round(time * 2) / 2, { width: 160 }); }, 60);
  }

  hidePreview() {
    clearTimeout(this.waiting);
    this.tip?.remove();
    this.box.classList.remove("preview-on");
  }

  time(event) {
    const box = this.box.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.duration;
  }

  percent(time) { return `${(100 * time) / this.duration}%`; }

  place(one) { return { left: this.percent(one.start_s), width_: this.percent(one.end_s - one.start_s) }; }
}

export const span = (one) => `${clock(one.start_s)}–${clock(one.end_s)}`;
