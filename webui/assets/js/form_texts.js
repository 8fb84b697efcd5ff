// form-js speaks English; this is its Chinese.
import { isEnglish } from "./texts.js";

const CHINESE = {
  "Field is required.": "必填",
  "Field must be a valid email.": "请填写有效的邮箱地址",
  "Field must be a valid international phone number. (e.g. +4930664040900)": "请填写有效的国际电话号码（例如 +8610…）",
  "Field must have maximum length of {value}.": "最多 {value} 个字",
  "Field must have minimum length of {value}.": "至少 {value} 个字",
  "Field must have maximum value of {value}.": "不得大于 {value}",
  "Field must have minimum value of {value}.": "不得小于 {value}",
  "Field must match pattern {value}.": "格式不符合要求",
  "Value is not a number.": "请填写数字",
  "Value is expected to be an integer.": "请填写整数",
  "Value is expected to have at most 1 decimal digit.": "最多 1 位小数",
  "Value is expected to have at most {value} decimal digits.": "最多 {value} 位小数",
  "Min validation value is not a valid number.": "表单的最小值不是数字",
  "Max validation value is not a valid number.": "表单的最大值不是数字",
  "Please select a valid value, the two nearest valid values are {previousValue} and {nextValue}.":
    "不是允许的数值，最接近的是 {previousValue} 和 {nextValue}",
  "Date and time must both be entered.": "日期和时间都要填写",
  "Add new": "添加一行",
  "Collapse": "收起",
  "Expand all ({value})": "展开全部（{value}）",
  "All values selected": "已全部选择",
  "No results": "没有匹配项",
  "Nothing to show.": "暂无内容",
  "No content to show.": "暂无内容",
  "Search": "搜索",
  "Skip to search": "跳到搜索",
  "Remove tag": "移除",
  "Increment": "加一",
  "Decrement": "减一",
  "Next page": "下一页",
  "Previous page": "上一页",
  "{page} of {total}": "第 {page} 页，共 {total} 页",
  "Click to remove sorting": "点击取消排序",
  "Click to sort by {value} ascending": "点击按 {value} 升序",
  "Click to sort by {value} descending": "点击按 {value} 降序",
  "Unable to download document": "文件无法下载",
  "Download {fileName}": "下载 {fileName}",
  "External content couldn't be loaded.": "外部内容无法显示",
};

function translate(template, values = {}) {
  const text = isEnglish ? template : (CHINESE[template] ?? template);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A form-js module. */
export default { translate: ["value", translate] };
