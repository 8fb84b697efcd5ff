// A BPMN diagram with what is done, open and late on it; and the replay that plays a case on it.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { Replay } from "./replay.js";
import { isEnglish, say } from "./texts.js";

const MARKERS = { done: "is-done", open: "is-open", late: "is-late", incident: "is-incident", skipped: "is-cancelled", chosen: "is-own" };

const READABLE = 0.75;

/** A diagram in an element with data-diagram-url; data-own = the element that the page is about; data-states = {"done": [element ids], "open": …, "late": …, "counts": {id: n}}. */
export class Diagram {
  constructor(place) {
    this.place = place;
    this.canvasPlace = place.querySelector("[data-canvas]");
    this.viewer = new NavigatedViewer({ container: this.canvasPlace, zoomScroll: { enabled: false } });
  }

  async show() {
    if (isEnglish) this.viewer.on("import.parse.complete", ({ definitions }) => translateNames(definitions));
    await this.draw(this.place.dataset.diagramUrl);
    this.canvas = this.viewer.get("canvas");
    this.known = this.viewer.get("elementRegistry");
    this.overlays = this.viewer.get("overlays");
    this.controls();
    this.fit();
    this.mark(JSON.parse(this.place.dataset.states ?? "{}"));
    if (this.known.get(this.place.dataset.own)) this.canvas.addMarker(this.place.dataset.own, "is-own");
    if (this.place.dataset.focus === "open") this.centre();
    if (this.place.dataset.picks) this.pick(this.place.dataset.picks);
    this.canvasPlace.removeAttribute("aria-busy");
    this.place.dataset.ready = "true";
  }

  async draw(url) {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${response.status}`);
    await this.viewer.importXML(await response.text());
    this.drawn = new URL(url, window.location.href).pathname;
  }

  /** Show another diagram in the same place; the one that is shown already stays as it is. */
  load(url) {
    const change = async () => {
      if (this.drawn === new URL(url, window.location.href).pathname) return;
      await this.draw(url);
      this.fit();
      this.read();
    };
    this.loading = (this.loading ?? Promise.resolve()).then(change); // one after the other, whatever the slider does
    return this.loading;
  }

  /** A click on an element chooses it in the select box of that id, where it can be chosen. */
  pick(id) {
    const select = document.getElementById(id);
    const show = () => {
      this.mark({ ...JSON.parse(this.place.dataset.states ?? "{}"), chosen: select.value ? [select.value] : [] });
      if (select.value) this.reveal(select.value);
    };
    this.viewer.on("element.click", ({ element }) => {
      if (![...select.options].some((option) => option.value === element.id)) return;
      select.value = element.id;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    select.addEventListener("change", show);
    show();
  }

  fit() {
    this.canvas.zoom("fit-viewport", "auto");
    if (this.canvas.zoom() > 1.1) this.canvas.zoom(1, "auto");
  }

  controls() {
    const act = { in: () => this.canvas.zoom(this.canvas.zoom() * 1.25), out: () => this.canvas.zoom(this.canvas.zoom() / 1.25), fit: () => this.fit() };
    for (const button of this.place.querySelectorAll("[data-zoom]")) button.addEventListener("click", act[button.dataset.zoom]);
    window.addEventListener("resize", () => this.canvas.resized());
    this.canvasPlace.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.key in steps && !event.ctrlKey && !event.metaKey) {
      const [dx, dy] = steps[event.key];
      this.canvas.scroll({ dx, dy });
    } else if (event.key === "+" || event.key === "=") this.canvas.zoom(this.canvas.zoom() * 1.25);
    else if (event.key === "-") this.canvas.zoom(this.canvas.zoom() / 1.25);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }

  /** Put markers, replacing those that stood there. */
  mark(states) {
    for (const element of this.known.getAll()) {
      for (const marker of Object.values(MARKERS)) if (this.canvas.hasMarker(element, marker)) this.canvas.removeMarker(element, marker);
    }
    this.overlays.clear();
    for (const [state, marker] of Object.entries(MARKERS)) {
      for (const id of states[state] ?? []) if (this.known.get(id)) this.canvas.addMarker(id, marker);
    }
    for (const id of states.flows ?? []) if (this.known.get(id)) this.canvas.addMarker(id, MARKERS.done);
    for (const [id, text] of Object.entries(states.badges ?? {})) this.badge(id, text);
  }

  badge(id, text) {
    if (!this.known.get(id) || this.known.get(id).waypoints) return;
    const html = document.createElement("span");
    html.className = "diagram-badge";
    html.textContent = text;
    this.overlays.add(id, { position: { top: -12, right: 14 }, html });
  }

  /** Bring an element into view without changing how large things are. */
  reveal(id) {
    const element = this.known.get(id);
    if (!element || element.waypoints || !element.width) return;
    const view = this.canvas.viewbox();
    const inside = element.x >= view.x && element.y >= view.y && element.x + element.width <= view.x + view.width && element.y + element.height <= view.y + view.height;
    if (!inside) this.canvas.viewbox({ ...view, x: element.x + element.width / 2 - view.width / 2, y: element.y + element.height / 2 - view.height / 2 });
  }

  centre() {
    const states = JSON.parse(this.place.dataset.states ?? "{}");
    const id = [this.place.dataset.own, ...(states.late ?? []), ...(states.open ?? [])].find((one) => one && this.known.get(one));
    if (!id) return;
    this.read();
    this.reveal(id);
  }

  /** A large diagram is enlarged until its words can be read. */
  read() {
    if (this.canvas.zoom() < READABLE) this.canvas.zoom(READABLE);
  }
}

/** Take the property `name:en` of each element as its name. */
function translateNames(definitions) {
  const seen = new Set();
  const visit = (element) => {
    if (!element || typeof element !== "object" || seen.has(element)) return;
    seen.add(element);
    for (const extension of element.extensionElements?.values ?? []) {
      for (const property of extension.$children ?? []) if (property.name === "name:en" && property.value) element.name = property.value;
    }
    for (const value of Object.values(element)) {
      if (Array.isArray(value)) value.forEach(visit);
      else if (value?.$type) visit(value);
    }
  };
  visit(definitions);
}

for (const place of document.querySelectorAll("[data-diagram-url]")) {
  const diagram = new Diagram(place);
  diagram
    .show()
    .then(() => {
      const controls = document.querySelector("[data-replay-url]");
      if (controls) return new Replay(controls, diagram).load();
      return undefined;
    })
    .catch((error) => {
      const canvas = place.querySelector("[data-canvas]");
      canvas.removeAttribute("aria-busy");
      canvas.textContent = say("图形没有显示：{reason}", { reason: error.message });
    });
}
