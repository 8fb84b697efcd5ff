// What the browser side says by itself. Chinese is the source; English by the page's language.
const ENGLISH = {
  "草稿已保存 {time}": "Draft saved {time}",
  "草稿没有保存：{reason}": "The draft was not saved: {reason}",
  "网络不通": "no connection",
  "正在保存草稿…": "Saving the draft…",
  "正在提交…": "Submitting…",
  "表单有 {count} 处需要更正": "{count} entries need correction",
  "请重新登录，填写的内容仍在。": "Please sign in again; what you typed is still here.",
  "用户名或密码不正确。": "The user name or the password is wrong.",
  "请选择": "Please choose",
  "选择文件": "Choose files",
  "移除第 {number} 行": "Remove row {number}",
  "移除 {name}": "Remove {name}",
  "正在上传 {name}…": "Uploading {name}…",
  "{name} 没有上传：{reason}": "{name} was not uploaded: {reason}",
  "日期": "Date",
  "时间": "Time",
  "放大": "Zoom in",
  "缩小": "Zoom out",
  "适合窗口": "Fit",
  "图形没有显示：{reason}": "The diagram cannot be shown: {reason}",
  "播放": "Play",
  "暂停": "Pause",
  "第 {step} 步，共 {count} 步": "Step {step} of {count}",
  "表单没有显示：{reason}": "The form cannot be shown: {reason}",
  "序号": "No.",
  "文件太大": "the file is too large",
  "会话已过期": "the session has expired",
  "服务器没有接受": "the server refused it",
};

const english = document.documentElement.lang.startsWith("en");

/** Return the text in the page's language, {names} filled in. */
export function say(text, values = {}) {
  const template = english ? (ENGLISH[text] ?? text) : text;
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether the page is in English. */
export const isEnglish = english;
