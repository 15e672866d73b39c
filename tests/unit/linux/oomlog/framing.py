"""The same records in every frame that a log may come in."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import html
import io
import json
import lzma
import quopri
import textwrap
from collections.abc import Callable
from typing import NamedTuple


class Record(NamedTuple):
    """What somebody logged: microseconds of uptime, who, and what."""

    micro: int
    program: str
    text: str


BOOT = 1763804632_000000
"""When the host was started, in microseconds since 1970."""
Frame = Callable[[list[Record]], bytes]


def iso(record: Record) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp((BOOT + record.micro) / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stamp(record: Record) -> str:
    return f"[{record.micro // 10**6:5}.{record.micro % 10**6:06}]"


def said(record: Record) -> str:
    return record.text if record.program == "kernel" else f"{record.program}[611]: {record.text}"


def dmesg(records: list[Record]) -> str:
    """As dmesg prints it: the further lines of a record are indented."""
    return "".join(f"{stamp(one)} {said(one)}".replace("\n", "\n" + " " * 15) + "\n" for one in records)


def syslog(records: list[Record]) -> str:
    return "".join(
        f"Nov 22 09:43:52 shop-3 {one.program}{'' if one.program == 'kernel' else '[611]'}: {line}\n"
        for one in records
        for line in one.text.split("\n")
    )


def entries(records: list[Record], make: Callable[[Record], object]) -> list[object]:
    return [make(one) for one in records]


def lines(values: list[object]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def journal(one: Record) -> dict[str, object]:
    return {
        "__CURSOR": f"s=1;i={one.micro:x}",
        "__REALTIME_TIMESTAMP": str(BOOT + one.micro),
        "__MONOTONIC_TIMESTAMP": str(one.micro),
        "PRIORITY": "3",
        "_TRANSPORT": "kernel" if one.program == "kernel" else "journal",
        "SYSLOG_IDENTIFIER": one.program,
        "MESSAGE": one.text,
    }


def cloud(one: Record) -> dict[str, object]:
    return {
        "insertId": f"a{one.micro}",
        "jsonPayload": {"MESSAGE": one.text, "PRIORITY": "3", "SYSLOG_IDENTIFIER": one.program},
        "logName": "projects/shop/logs/kernel",
        "resource": {"type": "gce_instance", "labels": {"zone": "a"}},
        "timestamp": iso(one),
    }


def exported(records: list[Record]) -> bytes:
    out = b""
    for one in records:
        for name, value in journal(one).items():
            content = str(value).encode()
            length = len(content).to_bytes(8, "little")
            out += name.encode() + (b"\n" + length if b"\n" in content else b"=") + content + b"\n"
        out += b"\n"
    return out


def one_dmesg(one: Record) -> dict[str, object]:
    pri = 3 if one.program == "kernel" else 30
    return {"pri": pri, "time": one.micro / 1e6, "msg": said(one)}


def loki(records: list[Record]) -> bytes:
    values = [[str((BOOT + one.micro) * 1000), f"{stamp(one)} {said(one)}"] for one in records]
    result = [{"stream": {"job": "node", "host": "shop-3"}, "values": values}]
    return json.dumps({"status": "success", "data": {"resultType": "streams", "result": result}}).encode()


def insights(records: list[Record]) -> bytes:
    rows = [
        [{"field": "@timestamp", "value": iso(one)}, {"field": "@message", "value": f"{stamp(one)} {said(one)}"}]
        for one in records
    ]
    return json.dumps({"results": rows, "status": "Complete"}).encode()


def otel(records: list[Record]) -> bytes:
    told = [
        {"timeUnixNano": str((BOOT + one.micro) * 1000), "body": {"stringValue": f"{stamp(one)} {said(one)}"}}
        for one in records
    ]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": told}]}]}).encode()


def mailed(body: bytes, encoding: str, kind: str = "text/plain") -> bytes:
    return (
        b"From: a@example.org\nSubject: Re: killed\nMIME-Version: 1.0\n"
        b"Content-Type: " + kind.encode() + b'; charset="UTF-8"\n'
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n" + body
    )


def alternatives(text: str) -> bytes:
    page = "<html><body><pre>" + html.escape(text) + "</pre></body></html>"
    return (
        b"Subject: killed\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=XX\n\nsee below\n"
        b"--XX\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(text.encode())
        + b"\n--XX\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
        + quopri.encodestring(page.encode())
        + b"\n--XX--\n"
    )


def attached(text: str) -> bytes:
    return (
        b"From x@example.org Sat Nov 22 09:43:52 2025\nSubject: log\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=XX\n\n--XX\nContent-Type: text/plain\n\nThe log is attached.\n"
        b"--XX\nContent-Type: application/octet-stream; name=dmesg.txt\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(text.encode())
        + b"\n--XX--\n"
    )


def each(text: str, change: Callable[[str], str]) -> str:
    return "".join(change(line) + "\n" for line in text.splitlines())


def hard(text: str, width: int) -> str:
    """Broken at a column, as a terminal does: in the midst of words; blanks at the end are lost."""
    parts = (
        line[at : at + width].rstrip(" ") for line in text.splitlines() for at in range(0, max(1, len(line)), width)
    )
    return "".join(f"{part}\n" for part in parts)


def soft(text: str, width: int, end: str = "", front: str = "") -> str:
    """Broken between words."""
    out = ""
    for line in text.splitlines():
        parts = textwrap.wrap(
            line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True, replace_whitespace=False
        ) or [""]
        out += f"{end}\n{front}".join(parts) + "\n"
    return out


def arrows(text: str, width: int) -> str:
    """Broken at a column, with an arrow in front of what goes on."""
    out = ""
    for line in text.splitlines():
        rest = [line[at : at + width - 2] for at in range(width, len(line), width - 2)]
        out += "".join([line[:width], *(f"\n↪ {part}" for part in rest)]) + "\n"
    return out


def as_csv(records: list[Record]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["timestamp", "message"])
    for one in records:
        writer.writerow([iso(one), f"{stamp(one)} {said(one)}"])
    return out.getvalue().encode()


def numbered(text: str, form: str) -> str:
    return "".join(form.format(at, line) + "\n" for at, line in enumerate(text.splitlines(), 1))


def text(change: Callable[[str], str]) -> Frame:
    return lambda records: change(dmesg(records)).encode()


FRAMES: dict[str, Frame] = {
    "dmesg": lambda r: dmesg(r).encode(),
    "crlf": text(lambda t: t.replace("\n", "\r\n")),
    "cr": text(lambda t: t.replace("\n", "\r")),
    "utf-8 mark": lambda r: b"\xef\xbb\xbf" + dmesg(r).encode(),
    "utf-16": lambda r: dmesg(r).encode("utf-16"),
    "utf-16-le": lambda r: dmesg(r).encode("utf-16-le"),
    "utf-16-be": lambda r: dmesg(r).encode("utf-16-be"),
    "utf-16-be mark": lambda r: b"\xfe\xff" + dmesg(r).encode("utf-16-be"),
    "utf-16 crlf": lambda r: dmesg(r).replace("\n", "\r\n").encode("utf-16"),
    "colour": text(lambda t: each(t, lambda x: f"\x1b[32m{x[:16]}\x1b[0m\x1b[1;31m{x[16:]}\x1b[0m\x1b[K")),
    "colour in carets": text(lambda t: each(t, lambda x: f"^[[32m{x}^[[0m")),
    "quoted": text(lambda t: each(t, lambda x: f"> {x}")),
    "quoted in any mix": text(lambda t: each(t, lambda x: f"> | > {x}")),
    "quoted tightly": text(lambda t: each(t, lambda x: f">>| {x}")),
    "fenced": text(lambda t: f"It died:\n\n```text\n{t}```\nWhy?\n"),
    "four blanks": text(lambda t: "It died:\n\n" + each(t, lambda x: f"    {x}") + "\nWhy?\n"),
    "ticks": text(lambda t: each(t, lambda x: f"`{x}`")),
    "bbcode": text(lambda t: f"[b]It died[/b]\n[code]{t}[/code]\n[quote=him]why?[/quote]\n"),
    "bbcode in lines": text(lambda t: each(t, lambda x: f"[color=#f00]{x[:16]}[/color]{x[16:]}")),
    "page": text(lambda t: f"<html><body><p>It died:</p>\n<pre>\n{html.escape(t)}</pre></body></html>"),
    "page without a break": text(lambda t: f"<!DOCTYPE html><div><pre class='x'>{html.escape(t)}</pre>"),
    "breaks": text(lambda t: each(html.escape(t), lambda x: f"{x}<br />")),
    "breaks in one line": text(lambda t: "<p>" + html.escape(t).replace("\n", "<br>") + "</p>"),
    "cat -n": text(lambda t: numbered(t, "{:6}\t{}")),
    "grep -n": text(lambda t: numbered(t, "{}:{}")),
    "less -N": text(lambda t: numbered(t, "{:7} {}")),
    "gzip": lambda r: gzip.compress(dmesg(r).encode()),
    "bzip2": lambda r: bz2.compress(dmesg(r).encode()),
    "xz": lambda r: lzma.compress(dmesg(r).encode()),
    "lzma": lambda r: lzma.compress(dmesg(r).encode(), format=lzma.FORMAT_ALONE),
    "terminal of 80 columns": text(lambda t: hard(t, 80)),
    "terminal of 100 columns": text(lambda t: hard(t, 100)),
    "terminal of 132 columns": text(lambda t: hard(t, 132)),
    "mail of 72 columns": text(lambda t: soft(t, 72)),
    "mail of 76 columns, quoted": text(lambda t: each(soft(t, 76), lambda x: f"> > {x}")),
    "flowed": text(lambda t: soft(t, 72, " ")),
    "arrows": text(lambda t: soft(t, 90, "", "↪ ")),
    "arrows within words": text(lambda t: arrows(t, 80)),
    "backslashes": text(lambda t: soft(t, 90, " \\", "  ")),
    "quoted-printable": lambda r: mailed(quopri.encodestring(dmesg(r).encode()), "quoted-printable"),
    "quoted-printable without headers": lambda r: quopri.encodestring(dmesg(r).encode()),
    "quoted in quoted-printable": lambda r: mailed(
        quopri.encodestring(each(dmesg(r), lambda x: f"> {x}").encode()), "Quoted-Printable"
    ),
    "base64": lambda r: mailed(base64.encodebytes(dmesg(r).encode()), "base64"),
    "8bit mail": lambda r: mailed(dmesg(r).encode(), "8bit"),
    "mail with crlf": lambda r: mailed(quopri.encodestring(dmesg(r).encode()), "quoted-printable").replace(
        b"\n", b"\r\n"
    ),
    "alternatives": lambda r: alternatives(dmesg(r)),
    "attachment": lambda r: attached(dmesg(r)),
    "syslog": lambda r: syslog(r).encode(),
    "journal json": lambda r: lines(entries(r, journal)),
    "journal json with bytes": lambda r: lines(entries(r, lambda x: journal(x) | {"MESSAGE": list(x.text.encode())})),
    "journal json-pretty": lambda r: "\n".join(json.dumps(journal(x), indent="\t") for x in r).encode(),
    "journal json-sse": lambda r: "".join(f"data: {json.dumps(journal(x))}\n\n" for x in r).encode(),
    "journal json-seq": lambda r: "".join(f"\x1e{json.dumps(journal(x))}\n" for x in r).encode(),
    "journal export": exported,
    "dmesg --json": lambda r: json.dumps({"dmesg": entries(r, one_dmesg)}, indent=3).encode(),
    "dmesg --json in one line": lambda r: json.dumps({"dmesg": entries(r, one_dmesg)}).encode(),
    "cloud logging": lambda r: lines(entries(r, cloud)),
    "cloud logging, an array": lambda r: json.dumps(entries(r, cloud), indent=2).encode(),
    "cloud logging, newest first": lambda r: json.dumps(entries(r, cloud)[::-1]).encode(),
    "cloud logging, a console": lambda r: lines(
        entries(r, lambda x: {"textPayload": f"{stamp(x)} {said(x)}\r\n", "timestamp": iso(x), "severity": "INFO"})
    ),
    "cloudwatch events": lambda r: json.dumps(
        {
            "events": entries(
                r, lambda x: {"timestamp": (BOOT + x.micro) // 1000, "message": f"{stamp(x)} {said(x)}", "eventId": "1"}
            ),
            "nextToken": "x",
        }
    ).encode(),
    "cloudwatch insights": insights,
    "loki": loki,
    "logcli": lambda r: lines(
        entries(r, lambda x: {"labels": {"job": "k"}, "line": f"{stamp(x)} {said(x)}", "timestamp": iso(x)})
    ),
    "fluentd": lambda r: lines(
        entries(r, lambda x: {"ident": x.program, "message": f"{stamp(x)} {x.text}", "time": iso(x)})
    ),
    "fluent-bit kmsg": lambda r: lines(
        entries(
            r,
            lambda x: {
                "date": (BOOT + x.micro) / 1e6,
                "priority": 3,
                "sequence": 1,
                "sec": x.micro // 10**6,
                "usec": x.micro % 10**6,
                "msg": said(x),
            },
        )
    ),
    "filebeat": lambda r: lines(
        entries(
            r,
            lambda x: {
                "_index": "k",
                "_source": {
                    "@timestamp": iso(x),
                    "message": f"{stamp(x)} {said(x)}",
                    "log": {"offset": 3},
                    "host": {"name": "a"},
                },
            },
        )
    ),
    "elasticsearch": lambda r: json.dumps(
        {
            "hits": {
                "total": 3,
                "hits": entries(r, lambda x: {"_source": {"@timestamp": iso(x), "message": f"{stamp(x)} {said(x)}"}}),
            }
        },
        indent=2,
    ).encode(),
    "splunk": lambda r: lines(
        entries(r, lambda x: {"preview": False, "result": {"_raw": f"{stamp(x)} {said(x)}", "_time": iso(x)}})
    ),
    "opentelemetry": otel,
    "docker": lambda r: lines(
        entries(
            [Record(x.micro, x.program, y) for x in r for y in f"{stamp(x)} {said(x)}".split("\n")],
            lambda x: {"log": x.text + "\n", "stream": "stdout", "time": iso(x)},
        )
    ),
    "cri": lambda r: "".join(
        f"{iso(x)} stdout F {y}\n" for x in r for y in f"{stamp(x)} {said(x)}".split("\n")
    ).encode(),
    "json in json": lambda r: lines(entries(r, lambda x: {"log": json.dumps(journal(x)) + "\n", "stream": "stdout"})),
    "one string of json": lambda r: json.dumps({"output": dmesg(r)}).encode(),
    "one string twice escaped": lambda r: json.dumps({"output": dmesg(r).replace("\n", "\\n")}).encode(),
    "escaped": text(lambda t: 'message: "' + t.replace("\n", "\\n") + '"\n'),
    "csv": as_csv,
    "json in a mail": lambda r: each(json.dumps(entries(r, cloud), indent=1), lambda x: f"> {x}").encode(),
    "json in a fence": lambda r: b"Here:\n\n```json\n" + lines(entries(r, cloud)) + b"```\n",
    "json wrapped by a mail": lambda r: soft(lines(entries(r, cloud)).decode(), 76).encode(),
}
