// Fields of our own in place of form-js's: the browser's native date, time and choice controls (they speak the person's
// language and work from the keyboard), and a file field that uploads at once and keeps what the server answered.
import { Description, Errors, Label, useExpressionEvaluation } from "@bpmn-io/form-js-viewer";
import { Datetime, FilePicker, Select } from "@bpmn-io/form-js-viewer";
import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { request } from "./requests.js";
import { say } from "./texts.js";
import { fromZone, toZone } from "./zone.js";

const classes = (type, { errors, disabled, readonly }) =>
  ["fjs-form-field", `fjs-form-field-${type}`, errors.length && "fjs-has-errors", disabled && "fjs-disabled", readonly && "fjs-readonly"]
    .filter(Boolean)
    .join(" ");

/** The frame that every field has: label, control, description, errors. */
function frame(type, props, label, ...control) {
  const { field, domId, errors = [] } = props;
  return h(
    "div",
    { class: classes(type, { ...props, errors }) },
    label,
    ...control,
    h(Description, { id: `${domId}-description`, description: field.description }),
    h(Errors, { id: `${domId}-error-message`, errors }),
  );
}

const described = ({ domId, errors = [], field, disabled, readonly, onBlur, onFocus }) => ({
  "aria-describedby": [field.description && `${domId}-description`, errors.length && `${domId}-error-message`].filter(Boolean).join(" ") || undefined,
  "aria-invalid": errors.length > 0 || undefined,
  "aria-required": field.validate?.required || undefined,
  disabled: disabled || readonly,
  onBlur,
  onFocus,
});

const INPUT = { date: "date", time: "time", datetime: "datetime-local" };

function DateField(settings) {
  return function Moment(props) {
    const { field, domId, onChange, value } = props;
    const type = INPUT[field.subtype] ?? "date";
    const format = field.timeSerializingFormat;
    const label = h(Label, {
      htmlFor: domId,
      label: field.label || field.dateLabel || field.timeLabel || say(type === "time" ? "时间" : "日期"),
      required: field.validate?.required,
    });
    const changed = (event) => onChange({ value: fromZone(event.target.value, type, format, settings.timeZone) });
    const shown = useMemo(() => toZone(value, type, settings.timeZone), [value, type]);
    return frame(
      "datetime",
      props,
      label,
      h("div", { class: "fjs-input-group" }, h("input", { class: "fjs-input", type, id: domId, value: shown, max: type === "time" ? undefined : "9999-12-31T23:59".slice(0, type === "date" ? 10 : 16), onInput: changed, ...described(props) })),
    );
  };
}

const normal = (option) => (option !== null && typeof option === "object" ? option : { value: option, label: String(option ?? "") });

function Choice(props) {
  const { field, domId, onChange, value } = props;
  const evaluated = useExpressionEvaluation(field.valuesExpression);
  const keyed = props.initialData?.[field.valuesKey];
  const options = (field.valuesKey !== undefined ? keyed : field.values ?? evaluated) ?? [];
  const choices = (Array.isArray(options) ? options : []).filter((o) => o !== null && o !== undefined).map(normal);
  const at = choices.findIndex((choice) => JSON.stringify(choice.value ?? choice.label) === JSON.stringify(value));
  const changed = (event) => {
    const choice = choices[Number(event.target.value)];
    onChange({ value: choice ? (choice.value ?? choice.label) : null });
  };
  return frame(
    "select",
    props,
    h(Label, { htmlFor: domId, label: field.label, required: field.validate?.required }),
    h(
      "div",
      { class: "fjs-input-group" },
      h(
        "select",
        { class: "fjs-input", id: domId, value: at < 0 ? "" : String(at), onChange: changed, ...described(props) },
        h("option", { value: "" }, say("请选择")),
        choices.map((choice, index) => h("option", { value: String(index), "data-value": JSON.stringify(choice.value ?? choice.label) }, choice.label ?? String(choice.value))),
      ),
    ),
  );
}

function FileField(settings) {
  return function Files(props) {
    const { field, domId, onChange, value, readonly, disabled } = props;
    const files = Array.isArray(value) ? value : [];
    const [message, setMessage] = useState("");
    const many = useExpressionEvaluation(field.multiple) === true || field.multiple === true;
    const chosen = async (event) => {
      let kept = many ? [...files] : [];
      for (const file of [...event.target.files]) {
        setMessage(say("正在上传 {name}…", { name: file.name }));
        const answer = await upload(settings.uploadUrl, file);
        if (answer.reason) {
          setMessage(say("{name} 没有上传：{reason}", { name: file.name, reason: answer.reason }));
          break;
        }
        setMessage("");
        kept = [...kept, answer.file];
        onChange({ value: kept });
      }
      event.target.value = "";
    };
    const remove = (digest) => {
      const left = files.filter((file) => file.digest !== digest);
      onChange({ value: left.length ? left : null });
    };
    const name = field.label ?? "";
    return frame(
      "filepicker",
      props,
      h(Label, { htmlFor: domId, label: name, required: field.validate?.required }),
      !readonly && h("input", { type: "file", id: domId, class: "file-input", multiple: many, accept: field.accept || undefined, onChange: chosen, ...described(props), disabled }),
      h(
        "ul",
        { class: "file-list" },
        files.map((file) =>
          h(
            "li",
            { key: file.digest },
            h("a", { href: `${settings.uploadUrl}/${file.digest}` }, file.name),
            !readonly && h("button", { type: "button", class: "link-button", "aria-label": say("移除 {name}", { name: file.name }), onClick: () => remove(file.digest) }, "×"),
          ),
        ),
      ),
      h("p", { class: "file-message", role: "status" }, message),
    );
  };
}

async function upload(url, file) {
  const body = new FormData();
  body.append("file", file);
  try {
    const response = await request(url, { method: "POST", body });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return { file: answer };
    return { reason: answer.detail ?? (response.status === 413 ? say("文件太大") : say("服务器没有接受")) };
  } catch {
    return { reason: say("网络不通") };
  }
}

/** A form-js module with these fields. `settings`: timeZone (IANA name), uploadUrl, initialData (for options by key). */
export function fields(settings) {
  const register = {
    datetime: Object.assign(DateField(settings), { config: Datetime.config }),
    select: Object.assign((props) => Choice({ ...props, initialData: settings.initialData }), { config: { ...Select.config, sanitizeValue: ({ value }) => value } }),
    filepicker: Object.assign(FileField(settings), { config: { ...FilePicker.config, sanitizeValue: ({ value }) => (Array.isArray(value) ? value : null) } }),
  };
  class OwnFields {
    constructor(formFields) {
      for (const [type, component] of Object.entries(register)) formFields.register(type, component);
    }
  }
  OwnFields.$inject = ["formFields"];
  return { __init__: ["ownFields"], ownFields: ["type", OwnFields] };
}
