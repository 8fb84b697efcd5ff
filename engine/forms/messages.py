"""What the server says about a field: Chinese and English, with what to do."""

from __future__ import annotations

from typing import Any

_TEXTS: dict[str, tuple[str, str]] = {
    "required": ("必须填写", "must be filled in"),
    "required_checkbox": ("必须勾选", "must be ticked"),
    "required_choice": ("请至少选择一项", "choose at least one"),
    "required_file": ("请上传文件", "upload a file"),
    "unknown": ("表单中没有此字段，请刷新页面后重新填写", "is no field of this form; reload the page and fill it in again"),
    "not_object": ("内容的结构不对，应为一组字段", "must be a set of fields"),
    "not_text": ("应为文字", "must be text"),
    "bad_characters": ("含有不能保存的字符，请删除后重试", "holds characters that cannot be stored; remove them"),
    "too_long": ("最多 {limit} 个字，现有 {length} 个", "at most {limit} characters, not {length}"),
    "too_short": ("至少 {limit} 个字，现有 {length} 个", "at least {limit} characters, not {length}"),
    "pattern": ("格式不符合要求（{pattern}）", "must match {pattern}"),
    "pattern_said": ("{message}", "{message}"),
    "email": ("不是有效的电子邮件地址", "is no mail address"),
    "phone": ("不是有效的电话号码", "is no telephone number"),
    "forbidden": ("不得填写{what}，请删除或改用受试者编码等代码", "must not contain: {what}; remove it or use a code instead"),
    "not_number": ("应为数字", "must be a number"),
    "number_range": ("数字过大或位数过多", "has too many digits"),
    "too_small": ("不能小于 {limit}", "must be at least {limit}"),
    "too_large": ("不能大于 {limit}", "must be at most {limit}"),
    "decimals": ("最多 {limit} 位小数", "at most {limit} decimal places"),
    "not_boolean": ("应为勾选或不勾选", "must be ticked or not"),
    "not_choice": ("请从列表中选择", "choose one from the list"),
    "not_choices": ("应为列表中的一项或几项", "must be a list of choices"),
    "no_options": ("可选项尚未提供，请联系管理员", "its choices are not available; tell an administrator"),
    "repeated": ("同一项选择了两次", "names a choice twice"),
    "not_date": ("不是有效日期，应如 2026-09-30", "is no date such as 2026-09-30"),
    "not_time": ("不是有效时间，应如 17:30", "is no time such as 17:30"),
    "not_date_time": ("不是有效的日期和时间，应如 2026-09-30T17:30+08:00", "is no date and time such as 2026-09-30T17:30+08:00"),
    "passed": ("不能早于今天", "must not be in the past"),
    "not_list": ("应为一个列表", "must be a list"),
    "too_many_rows": ("最多 {limit} 行", "at most {limit} rows"),
    "too_many_cells": ("行数过多，合计最多 {limit} 格", "has too many rows: at most {limit} cells in all"),
    "fixed_rows": ("行数固定为 {limit} 行，不能增减", "has {limit} rows, no more, no less"),
    "not_files": ("应为已上传的文件", "must be uploaded files"),
    "one_file": ("只能上传一个文件", "only one file"),
    "too_many_files": ("最多 {limit} 个文件", "at most {limit} files"),
    "not_uploaded": ("文件「{name}」没有上传成功，请重新上传", "the file {name} was not uploaded; upload it again"),
    "file_kind": ("文件「{name}」的类型不允许，只接受 {accept}", "the file {name} is of a kind not accepted; accepted: {accept}"),
    "check": ("与其他内容矛盾，请检查", "contradicts other fields; check it"),
}


def say(key: str, **values: Any) -> tuple[str, str]:
    """Return a message in Chinese and in English."""
    chinese, english = _TEXTS[key]
    return chinese.format(**values), english.format(**values)
