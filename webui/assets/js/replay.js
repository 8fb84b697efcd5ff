// Plays a case on its diagram. Frames come from the journal: what each command entered, completed, took and set.
import { say } from "./texts.js";

const PACE = { 0.5: 2400, 1: 1200, 2: 600, 4: 300 };

export class Replay {
  constructor(place, diagram) {
    this.place = place;
    this.diagram = diagram;
    this.part = (name) => place.querySelector(`[data-${name}]`);
    this.slider = this.part("slider");
  }

  async load() {
    const response = await fetch(this.place.dataset.replayUrl, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${response.status}`);
    this.frames = (await response.json()).frames;
    this.diagram.read();
    this.slider.max = String(Math.max(0, this.frames.length - 1));
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.part("play").addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.part("back").addEventListener("click", () => this.step(-1));
    this.part("forward").addEventListener("click", () => this.step(1));
    this.part("speed").addEventListener("change", () => this.timer && this.play());
    document.addEventListener("keydown", (event) => this.key(event));
    const asked = Number(new URLSearchParams(window.location.search).get("step"));
    this.go(asked > 0 ? Math.min(asked, this.frames.length) - 1 : 0);
    this.place.dataset.ready = "true";
  }

  key(event) {
    if (event.target.closest("input, select, textarea, dialog, [data-canvas]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), Home: () => this.go(0), End: () => this.go(this.frames.length - 1) };
    if (event.key === " " && !event.target.closest("button, a")) act[" "] = () => (this.timer ? this.pause() : this.play());
    if (!act[event.key]) return;
    event.preventDefault();
    act[event.key]();
  }

  play() {
    clearInterval(this.timer);
    if (this.at >= this.frames.length - 1) this.go(0);
    this.timer = setInterval(() => {
      if (this.at >= this.frames.length - 1) this.pause();
      else this.go(this.at + 1);
    }, PACE[this.part("speed").value] ?? PACE[1]);
    this.part("play").textContent = say("暂停");
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.part("play").textContent = say("播放");
  }

  step(by) {
    this.pause();
    this.go(this.at + by);
  }

  async go(index) {
    if (!this.frames.length) return;
    this.at = Math.max(0, Math.min(this.frames.length - 1, index));
    const frame = this.frames[this.at];
    this.slider.value = String(this.at);
    const text = say("第 {step} 步，共 {count} 步", { step: this.at + 1, count: this.frames.length });
    this.slider.setAttribute("aria-valuetext", `${text}，${frame.at}`);
    this.part("position").textContent = text;
    this.part("when").textContent = frame.at;
    this.part("who").textContent = frame.who;
    this.part("what").textContent = frame.what;
    this.list(this.part("events"), frame.lines);
    this.values(frame.values);
    this.list(this.part("signatures"), frame.signatures);
    const at = this.at;
    if (frame.diagram) await this.diagram.load(frame.diagram); // a case that moved to another version is drawn on two diagrams
    if (at !== this.at) return;
    this.diagram.mark(this.stateAt(this.at));
    const newest = frame.focus ?? frame.entered.at(-1) ?? frame.completed.at(-1);
    if (newest) this.diagram.reveal(newest);
  }

  /** What is done, open and late after the frames up to an index. */
  stateAt(index) {
    const open = new Map();
    const done = new Set();
    const late = new Set(this.frames[index].late);
    const flows = new Set();
    for (const frame of this.frames.slice(0, index + 1)) {
      for (const id of frame.entered) open.set(id, (open.get(id) ?? 0) + 1);
      for (const id of frame.completed) {
        open.set(id, (open.get(id) ?? 1) - 1);
        done.add(id);
      }
      for (const id of frame.terminated) open.set(id, (open.get(id) ?? 1) - 1);
      for (const [before, after] of frame.moved ?? []) {
        if (!open.get(before)) continue;
        open.set(before, open.get(before) - 1);
        open.set(after, (open.get(after) ?? 0) + 1);
      }
      for (const id of frame.flows) flows.add(id);
    }
    const standing = [...open].filter(([, count]) => count > 0).map(([id]) => id);
    return {
      done: [...done].filter((id) => !standing.includes(id)),
      open: standing.filter((id) => !late.has(id)),
      late: standing.filter((id) => late.has(id)),
      flows: [...flows],
      badges: Object.fromEntries([...open].filter(([, count]) => count > 1)),
    };
  }

  list(place, lines) {
    place.replaceChildren(
      ...lines.map((text) => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
      }),
    );
    place.closest("[data-section]").hidden = lines.length === 0;
  }

  values(pairs) {
    const place = this.part("values");
    place.replaceChildren(
      ...pairs.flatMap(([name, text]) => {
        const term = document.createElement("dt");
        const description = document.createElement("dd");
        term.textContent = name;
        description.textContent = text;
        return [term, description];
      }),
    );
    place.closest("[data-section]").hidden = pairs.length === 0;
  }
}
