// Decision tables and requirement graphs, to look at.
import DmnViewer from "dmn-js/lib/NavigatedViewer";
import { isEnglish, say } from "./texts.js";

const CHINESE = {
  "View DRD": "查看需求图",
  "Hit Policy": "命中策略",
  "Hit policy": "命中策略",
  "Hit policy:": "命中策略：",
  When: "当",
  Then: "则",
  And: "且",
  Annotations: "说明",
  Annotation: "说明",
  Collect: "收集",
  Unique: "唯一",
  First: "首个",
  Any: "任一",
  Priority: "优先",
  "Rule order": "规则顺序",
  "Output order": "输出顺序",
  Input: "输入",
  Output: "输出",
};
const translate = (template, values = {}) =>
  (isEnglish ? template : (CHINESE[template] ?? template)).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const words = { additionalModules: [{ translate: ["value", translate] }] };

/** Text for screen readers alone. */
function hidden(text) {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = text;
  return span;
}

async function show(place) {
  const response = await fetch(place.dataset.decisionUrl, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status}`);
  const container = place.querySelector("[data-canvas]");
  const viewer = new DmnViewer({ container, drd: words, decisionTable: words, literalExpression: words, boxedExpression: words });
  await viewer.importXML(await response.text());
  const views = viewer.getViews();
  const tabs = place.querySelector("[data-views]");
  const open = async (view) => {
    await viewer.open(view);
    for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.id === view.id));
    container.dataset.view = view.type;
    for (const head of container.querySelectorAll("th.index-column:empty")) head.append(hidden(say("序号")));
    for (const table of container.querySelectorAll(".tjs-table-container")) table.tabIndex = 0; // it scrolls: let the keyboard in
  };
  for (const view of views) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.dataset.id = view.id;
    button.textContent = view.name || view.id;
    button.addEventListener("click", () => open(view));
    tabs.append(button);
  }
  await open(views.find((view) => view.element.id === place.dataset.decisionId) ?? views[0]);
  container.removeAttribute("aria-busy");
  place.dataset.ready = "true";
}

for (const place of document.querySelectorAll("[data-decision-url]")) {
  show(place).catch((error) => {
    const container = place.querySelector("[data-canvas]");
    container.removeAttribute("aria-busy");
    container.textContent = say("图形没有显示：{reason}", { reason: error.message });
  });
}
