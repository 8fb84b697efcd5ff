// A Camunda form on a page: shown by form-js, kept as a draft while it is typed, submitted as one JSON field of a plain form.
import { FeelersTemplating, Form } from "@bpmn-io/form-js-viewer";
import { fields } from "./form_fields.js";
import texts from "./form_texts.js";
import { request, token } from "./requests.js";
import { isEnglish, say } from "./texts.js";
import { toZone } from "./zone.js";

const DRAFT_DELAY = 1200; // ms after the last change

/** Components whose only purpose is another button, and English labels where the page is English. */
function prepared(component) {
  const label = isEnglish ? component.properties?.["label:en"] : undefined;
  const parts = component.components?.filter((part) => part.type !== "button").map(prepared);
  return { ...component, ...(label ? { label } : {}), ...(parts ? { components: parts } : {}) };
}

/** Texts of the form write moments as the pages do, in the hospital's time zone. */
function readableMoments(timeZone) {
  const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)/g;
  class Templating extends FeelersTemplating {
    evaluate(...given) {
      const text = super.evaluate(...given);
      return typeof text === "string" ? text.replace(moment, (found) => toZone(found, "datetime-local", timeZone).replace("T", " ") || found) : text;
    }
  }
  return { templating: ["type", Templating] };
}

/** An empty text field says nothing: models see null, not an empty text. */
function withoutEmptyTexts(value) {
  if (value === "" || value === undefined) return null; // what is seen as empty is sent: what is not sent keeps its old value
  if (Array.isArray(value)) return value.map(withoutEmptyTexts);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutEmptyTexts(part)]));
}

/** A list whose rows were all removed has no field left to speak for it: say that it is empty. */
function keepEmptyLists(component, shown, data) {
  for (const part of component.components ?? []) {
    const path = part.path ? part.path.split(".") : [];
    if (part.type === "dynamiclist") {
      const last = path.pop();
      const inner = path.reduce((at, step) => (at[step] ??= {}), data);
      const rows = path.reduce((at, step) => at?.[step], shown)?.[last];
      if (Array.isArray(rows) && rows.length === 0) inner[last] ??= [];
    } else if (part.type === "group") {
      keepEmptyLists(part, path.reduce((at, step) => at?.[step], shown) ?? {}, path.reduce((at, step) => (at[step] ??= {}), data));
    }
  }
}

const GROUP_ROLES = { radio: "radiogroup", checklist: "group" };
let named = 0;

/** Say a group's question to those who do not see it: the label above its choices. */
function nameGroup(group, role) {
  const label = group.querySelector(":scope > .fjs-form-field-label");
  if (!label?.textContent.trim()) return;
  label.id ||= `question-${(named += 1)}`;
  group.setAttribute("role", role);
  group.setAttribute("aria-labelledby", label.id);
}

const steps = (path) => path.split(/[.[\]]+/).filter(Boolean).map((part) => (/^\d+$/.test(part) ? Number(part) : part));

class FormPage {
  constructor(place) {
    this.place = place;
    this.submission = document.getElementById(place.dataset.submission);
    this.status = document.querySelector("[data-draft-status]");
    this.summary = document.querySelector("[data-summary]");
    this.read = (name, otherwise) => (place.dataset[name] ? JSON.parse(place.dataset[name]) : otherwise);
    this.touched = false;
  }

  async show() {
    const schema = prepared(this.read("schema"));
    const data = this.read("values", {});
    this.form = new Form({
      container: this.place,
      debounce: false, // else the last keystrokes are lost when a script submits
      additionalModules: [texts, readableMoments(this.place.dataset.timeZone), fields({ timeZone: this.place.dataset.timeZone, uploadUrl: this.place.dataset.uploadUrl, initialData: data })],
      properties: { readOnly: this.place.dataset.readonly === "true", ariaLabel: this.place.dataset.title },
    });
    await this.form.importSchema(schema, data);
    new MutationObserver(() => this.nameParts()).observe(this.place, { childList: true, subtree: true });
    this.nameParts();
    this.place.dataset.ready = "true";
    this.place.removeAttribute("aria-busy");
    const problems = this.read("problems", []);
    if (problems.length) requestAnimationFrame(() => this.showProblems(problems));
    if (!this.submission || this.place.dataset.readonly === "true") return;
    this.form.on("field.updated", () => this.changed());
    this.submission.addEventListener("submit", (event) => this.submit(event));
    // The focus stays in the field while the button is pressed: no error line can shift the button from under the click.
    for (const button of this.submission.querySelectorAll("button")) button.addEventListener("mousedown", (event) => event.preventDefault());
    window.addEventListener("pagehide", () => this.leave());
  }

  data() {
    const data = this.form._getSubmitData();
    keepEmptyLists(this.form._getState().schema, this.form._getState().data, data);
    return withoutEmptyTexts(data);
  }

  /** What form-js leaves unnamed: buttons that remove a row (English alone), and the questions above radio buttons and checklists. */
  nameParts() {
    for (const button of this.place.querySelectorAll('[aria-label^="Remove list item"]')) {
      button.setAttribute("aria-label", say("移除第 {number} 行", { number: button.getAttribute("aria-label").split(" ").at(-1) }));
    }
    for (const [type, role] of Object.entries(GROUP_ROLES)) {
      for (const group of this.place.querySelectorAll(`.fjs-form-field-${type}`)) nameGroup(group, role);
    }
  }

  // --- drafts

  changed() {
    this.touched = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.saveDraft(), DRAFT_DELAY);
  }

  async saveDraft() {
    clearTimeout(this.timer);
    if (!this.touched || !this.place.dataset.draftUrl) return;
    this.touched = false;
    this.tell(say("正在保存草稿…"));
    try {
      const response = await request(this.place.dataset.draftUrl, this.draftRequest());
      if (response.ok) {
        const time = new Date().toLocaleTimeString(isEnglish ? "en-GB" : "zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: this.place.dataset.timeZone });
        const answer = await response.json().catch(() => ({}));
        if (answer.location) this.moved(answer);
        this.tell(say("草稿已保存 {time}", { time }));
        return;
      }
      const answer = await response.json().catch(() => ({}));
      this.failed(answer.detail ?? (response.status === 401 ? say("会话已过期") : say("服务器没有接受")));
    } catch {
      this.failed(say("网络不通"));
    }
  }

  failed(reason) {
    this.touched = true;
    this.tell(say("草稿没有保存：{reason}", { reason }));
  }

  /** The first draft of a start form got a place of its own: later ones go there, and reloading comes back to it. */
  moved(answer) {
    this.place.dataset.draftUrl = answer.draft_url;
    this.submission.action = answer.submit_url;
    window.history.replaceState(null, "", answer.location);
  }

  draftRequest() {
    return { method: "POST", body: JSON.stringify(this.data()), headers: { "Content-Type": "application/json" } };
  }

  leave() {
    if (!this.touched || this.submitting || !this.place.dataset.draftUrl) return;
    const { headers, ...rest } = this.draftRequest();
    fetch(this.place.dataset.draftUrl, { ...rest, headers: { ...headers, "X-CSRFToken": token() }, keepalive: true });
  }

  tell(text) {
    if (this.status) this.status.textContent = text;
  }

  // --- submitting

  async submit(event) {
    event.preventDefault();
    if (this.submitting) return;
    document.activeElement?.blur?.(); // a field commits what was typed when it is left
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const errors = this.form.validate();
    if (Object.keys(errors).length) {
      this.showSummary(this.fieldProblems());
      return;
    }
    this.submitting = true;
    clearTimeout(this.timer);
    this.submission.querySelector('[name="data"]').value = JSON.stringify(this.data());
    this.submission.querySelector('[name="csrf_token"]').value = token();
    this.tell(say("正在提交…"));
    this.submission.submit();
  }

  instances() {
    return this.form.get("formFieldInstanceRegistry").getAllKeyed();
  }

  domId(instance) {
    return ["fjs-form", this.form._id, instance.id].join("-") + Object.values(instance.indexes ?? {}).map((index) => `_${index}`).join("");
  }

  /** What form-js itself finds wrong, in the order of the fields. */
  fieldProblems() {
    const { errors } = this.form._getState();
    const found = [];
    for (const instance of this.instances()) {
      const texts = [instance.id, ...Object.values(instance.indexes ?? {})].reduce((at, step) => at?.[step], errors);
      if (Array.isArray(texts) && texts.length && typeof texts[0] === "string") {
        const field = this.form.get("formFieldRegistry").get(instance.id);
        found.push({ instance, label: field.label || field.dateLabel || field.timeLabel || field.key, message: texts[0] });
      }
    }
    return found;
  }

  /** What the server found wrong: at the fields by their path, and in the summary. */
  showProblems(problems) {
    const errors = {};
    const shown = problems.map((problem) => {
      const path = steps(problem.field ?? "");
      const instance = this.instances().find((one) => JSON.stringify(one.valuePath) === JSON.stringify(path));
      if (instance) {
        const at = [instance.id, ...Object.values(instance.indexes ?? {})];
        const last = at.pop();
        const place = at.reduce((inner, step) => (inner[step] ??= {}), errors);
        place[last] = [...(place[last] ?? []), problem.message];
      }
      return { ...problem, instance };
    });
    this.form._setState({ errors });
    this.showSummary(shown);
  }

  showSummary(problems) {
    if (!this.summary) return;
    const heading = document.createElement("h2");
    heading.textContent = say("表单有 {count} 处需要更正", { count: problems.length });
    const list = document.createElement("ul");
    list.append(...problems.map((problem) => this.summaryLine(problem)));
    this.summary.replaceChildren(heading, list);
    this.summary.hidden = false;
    this.summary.focus();
    this.summary.scrollIntoView({ block: "start" });
  }

  summaryLine({ instance, label, message, rule }) {
    const line = document.createElement("li");
    const text = `${label ? `${label}${isEnglish ? ": " : "："}` : ""}${message}${rule ? ` (${rule})` : ""}`;
    if (!instance) {
      line.textContent = text;
      return line;
    }
    const link = document.createElement("a");
    link.href = `#${this.domId(instance)}`;
    link.textContent = text;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const id = CSS.escape(this.domId(instance));
      const control = this.place.querySelector(`#${id}, [id^="${id}-"]:is(input, select, textarea, button)`);
      control?.focus();
      control?.scrollIntoView({ block: "center" });
    });
    line.append(link);
    return line;
  }
}

for (const place of document.querySelectorAll("[data-schema]")) {
  new FormPage(place).show().catch((error) => {
    place.textContent = say("表单没有显示：{reason}", { reason: error.message });
    place.removeAttribute("aria-busy");
    throw error;
  });
}
