// Moments typed and shown in the hospital's time zone, whatever the browser's is.
const pad = (number) => String(number).padStart(2, "0");

/** Minutes that local time is ahead of UTC at a moment in a zone. */
function offsetAt(moment, zone) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" })
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  );
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return Math.round((local - Math.floor(moment.getTime() / 1000) * 1000) / 60000);
}

const offsetText = (minutes) => `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;

/** Return what form-js stores for what a native control holds (`2026-11-20`, `18:05`, `2026-11-20T18:05`), null when empty. */
export function fromZone(text, type, format, zone) {
  if (!text) return null;
  if (type === "date") return text;
  const local = type === "time" ? `${new Date().toISOString().slice(0, 10)}T${text}` : text;
  const short = local.slice(0, 16);
  if (format === "no_timezone") return type === "time" ? text.slice(0, 5) : short;
  const guess = new Date(`${short}:00Z`);
  const minutes = offsetAt(new Date(guess.getTime() - offsetAt(guess, zone) * 60000), zone);
  const utc = new Date(guess.getTime() - minutes * 60000).toISOString().slice(0, 16);
  const value = format === "utc_normalized" ? `${utc}Z` : `${short}${offsetText(minutes)}`;
  return type === "time" ? value.slice(11) : value;
}

/** Return what the native control shows for a stored value. */
export function toZone(value, type, zone) {
  if (typeof value !== "string" || !value) return "";
  if (type === "date") return value.slice(0, 10);
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(value);
  if (type === "time") {
    if (!zoned) return value.slice(0, 5);
    return local(new Date(`${new Date().toISOString().slice(0, 10)}T${value}`), zone).slice(11);
  }
  return zoned ? local(new Date(value), zone) : value.slice(0, 16);
}

function local(moment, zone) {
  if (Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() + offsetAt(moment, zone) * 60000).toISOString().slice(0, 16);
}
