"""A journal row's content as bytes: the first byte says how the rest is to be read.

    1   rows of the first release: the command's name, a line feed, canonical JSON with every name spelled out
    2   raw DEFLATE (RFC 1951) of a JSON text in UTF-8, with the preset dictionary `DICTIONARY_2`

The seal is over these bytes as they are, so that nothing has to be unpacked, and no library's way of compressing repeated, to
prove them. Another dictionary is another number: rows are never written anew.
"""

from __future__ import annotations

import zlib

from engine.errors import Defect

SPELLED_OUT = 1
PACKED = 2

MAX_UNPACKED = 256 * 1024 * 1024
"""Bytes that a row may unpack to: a hostile evidence pack must not fill the memory."""

# What rows are made of, the most frequent last: DEFLATE refers to it instead of repeating it. Never changed; see above.
DICTIONARY_2 = (
    b"DELIVERY_FAILED CALLED_ELEMENT_ERROR UNHANDLED_ERROR_EVENT DECISION_EVALUATION_ERROR IO_MAPPING_ERROR EXTRACT_VALUE_ERROR "
    b'CONDITION_ERROR JOB_NO_RETRIES STEP_BUDGET"recompute_deadlines""receive_signal""receive_message""publish_message"'
    b'"child_escalated""child_ended""start_child""resolve_incident""modify_instance""set_variables""suspend""resume'
    b'""cancel_instance""unclaim_task""assign_task"["fail_job"["collect-instances"["count-instances"["publish-message"'
    b'["notify",[22,"$blob":"$value":"size":"contentType":"digest":"name":"MULTI_INSTANCE_BODY""EVENT_SUB_PROCESS"'
    b'"EVENT_BASED_GATEWAY""INCLUSIVE_GATEWAY""INTERMEDIATE_THROW_EVENT""INTERMEDIATE_CATCH_EVENT""BOUNDARY_EVENT"'
    b'"RECEIVE_TASK""SEND_TASK""MANUAL_TASK""BUSINESS_RULE_TASK""CALL_ACTIVITY""SUB_PROCESS","PT1H"]],"P3D"],"R/P1D"'
    b'"loopCounter",1,"overdue","reminder","escalation","info",[],[],null,null,[],"TERMINATED",{}]]'
    b'["fire_timer",[13,["complete_job",[22,["claim_task",[42,["deploy",["start_instance",[40,"process",1,'
    b',null,null,{"latest":"]],[45,"Form_0-form",""],[46,"Gateway_0","SCRIPT_TASK","SERVICE_TASK",0,"Flow_0'
    b'"EXCLUSIVE_GATEWAY",0,"Flow_1"PARALLEL_GATEWAY",0,"Flow_0],[11,"],[21,[2,0,"Process_0","PROCESS"],[1,"StartEvent_1",'
    b'"START_EVENT",0],[2,"StartEvent_1"],[4,"Event_0","END_EVENT",0,"Flow_0"],[2,"Event_1"],[2,0,"Process_1"],[28,"COMPLETED",{}]]'
    b'["complete_task",[9,1,"Activity_0"],[5,"comment","],[5,"reason","],[5,"date","2026-0],[5,"amount",1],[5,"result",'
    b'"rejected"],[5,"decision","approved"],[5,"",false],[5,"",true],[2,"Activity_1"],[4,"Flow_0"],[1,"Activity_0",'
    b'"USER_TASK",0,"Flow_1"],[7,"Activity_1","",["","office"]]]'
)


def pack(text: bytes) -> bytes:
    """Return a row's content of a JSON text in UTF-8."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARY_2)
    return b"\x02" + packer.compress(text) + packer.flush()


def unpack(payload: bytes) -> bytes:
    """Return the JSON text of a row's content; of a row of the first release its command's name, a line feed and its text.

    Raises:
        Defect: it is of a kind that this version does not know, or is damaged.
    """
    kind = payload[:1]
    if kind == b"\x01":
        return payload[1:]
    if kind != b"\x02":
        raise Defect(f"the journal holds a row of unknown format {kind.hex()}; it was written by a later version")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, DICTIONARY_2)
    try:
        text = unpacker.decompress(payload[1:], MAX_UNPACKED)
    except zlib.error as error:
        raise Defect(f"a journal row cannot be unpacked: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise Defect("a journal row is cut off, or unpacks to too much")
    return text
