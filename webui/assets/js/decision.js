// Decision tables and requirement graphs, to look at.
import DmnViewer from "dmn-js/lib/NavigatedViewer";
import { say } from "./texts.js";

async function show(place) {
  const response = await fetch(place.dataset.decisionUrl, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status}`);
  const container = place.querySelector("[data-canvas]");
  const viewer = new DmnViewer({ container });
  await viewer.importXML(await response.text());
  const views = viewer.getViews();
  const tabs = place.querySelector("[data-views]");
  const open = async (view) => {
    await viewer.open(view);
    for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.id === view.id));
    container.dataset.view = view.type;
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
    place.querySelector("[data-canvas]").textContent = say("图形没有显示：{reason}", { reason: error.message });
  });
}
