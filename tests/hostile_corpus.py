"""Texts that a model, a server or an imported file may hold and that must do nothing where they are shown.

Each is kept byte for byte in the run store (surrogates excepted, which no file can hold) and shown harmless
on the terminal, in JUnit, in the report and by the commands.
"""

# ruff: noqa: E501 - a text of attack is easier to judge on one line

from __future__ import annotations

import re
from typing import Final

ESC, CSI, OSC, ST, BEL = "\x1b", "\x1b[", "\x1b]", "\x1b\\", "\x07"

HOSTILE: Final[dict[str, str]] = {
    # What moves a terminal.
    "ansi-colour": f"{CSI}31mred{CSI}0m {CSI}38;2;1;2;3mtrue{CSI}m",
    "ansi-clear": f"{CSI}2J{CSI}H{CSI}3Jgone",
    "ansi-cursor-up": f"passed{CSI}1A{CSI}2K\rfailed is now passed",
    "ansi-alternate-screen": f"{CSI}?1049hother screen{CSI}?1049l",
    "ansi-device-report": f"{CSI}6n{CSI}c{CSI}21t",
    "ansi-unfinished": f"the end is open {CSI}",
    "c1-controls": "\x9b31m red \x9d0;title\x9c \x90q\x9c \x85 \x84",
    "osc-title": f"{OSC}0;new title{BEL}x",
    "osc-link": f"{OSC}8;;https://evil.invalid{BEL}click{OSC}8;;{BEL}",
    "osc-clipboard": f"{OSC}52;c;ZWNobyBwd25lZA=={ST}",
    "osc-iterm-file": f"{OSC}1337;File=name=eA==;inline=1:eA=={BEL}",
    "dcs-and-apc": f"{ESC}P1$r0m{ST}{ESC}_Gi=1;AAAA{ST}{ESC}^secret{ST}",
    "reset": f"{ESC}c{ESC}#8{ESC}%G",
    "carriage-return": "the answer is wrong\rthe answer is right",
    "backspaces": "wrong" + "\x08" * 5 + "right",
    "bells-and-feeds": "a\x07\x07b\x0bc\x0cd\x1ae\x1cf\x1dg\x1eh\x1fi\x7fj",
    "nul": "before\x00after",
    # What moves the eye.
    "bidi-override": "abc\u202edcba\u202c end",
    "bidi-isolate": "\u2066x\u2069 \u2067y\u2068 \u200f\u200e\u061c",
    "zero-width": "pass\u200bed a\u200cb\u200dc\u2060d\ufeffe",
    "tag-characters": "ok" + "".join(chr(0xE0000 + ord(c)) for c in "ignore this") + "\U000e007f",
    "blank-letters": "a\u3164b\u115fc\u2800d\uffa0e\u180bf",
    "soft-hyphens": "pass\u00ad\u00ad\u00aded",
    "combining-pile": "a" + "\u0301\u0327\u20dd\u0334" * 300,
    "private-and-unassigned": "\ue000 \U000f0000 \U0010ffff \u0378",
    # What a CI runner obeys.
    "github-error": "::error file=app.py,line=1::from the model",
    "github-mask": "::add-mask::a\n  ::add-mask::e",
    "github-output": "fine\n::set-output name=x::y\n\t::save-state name=x::y\n::set-env name=PATH::/evil",
    "github-stop-commands": "::stop-commands::token\n::token::",
    "github-group": "##[group]g\nx ##[error]e ##[command]c\n::group::x\n::endgroup::",
    "github-after-marks": "\u200b::error::a\n\u00a0::error::b\n\ufe0f::error::c\n\u3000\u2003::error::d\n\r::error::e",
    "azure": "##vso[task.setvariable variable=x]y ##VSO[task.complete result=Succeeded]",
    "teamcity": "##teamcity[buildStatus status='SUCCESS' text='x']",
    "gitlab-section": f"section_start:1700000000:x[collapsed=true]\r{CSI}0Ktitle\nsection_end:1700000000:x\r{CSI}0K",
    # What ends XML, HTML, a script, a style, an attribute, a JSON island.
    "cdata-end": "]]> <![CDATA[ &amp; &#0; &#x1b; <!-- --> <?xml version='1.1'?> <!DOCTYPE x [<!ENTITY a 'b'>]>",
    "xml-tags": "</system-out></testcase></testsuite><testcase name='forged'/><failure/>",
    "script-end": "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>",
    "script-comment": "<!--<script> --!> </textarea></style></title></noscript></template>",
    "attribute-end": "\" onmouseover=window.pwned=1 x=\" ' onfocus=window.pwned=1 autofocus tabindex=1 x='",
    "svg": "<svg/onload=window.pwned=1><animate onbegin=window.pwned=1 attributeName=x /></svg>",
    "math": "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src onerror=window.pwned=1&gt;\">",
    "javascript-link": "[x](javascript:window.pwned=1) <a href=javascript:window.pwned=1>y</a> data:text/html,<script>",
    "css": "</style><style>*{display:none}</style> x{background:url(https://evil.invalid/p)} expression(1)",
    "meta-and-base": "<meta http-equiv=refresh content='0;url=https://evil.invalid'><base href=https://evil.invalid>",
    "frames": "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe><object data=x><embed src=x>",
    "double-encoded": "&lt;script&gt;window.pwned=1&lt;/script&gt; %3Cscript%3E \\u003cscript\\u003e +ADw-script+AD4-",
    "json-escapes": "\\u2028 \\\" \\\\ \\/ \"}] , {\"__proto__\": {\"x\": 1}, \"a\": NaN, \"b\": 1e999}",
    "line-separators": "a\u2028b\u2029c\x85d\r\ne\rf\x0bg\x0ch",
    "braces": "{{ 7 * 7 }} {% raw %} {# x #} ${jndi:ldap://x} {0.__class__} %(x)s %s %n $(id) `id`",
    "markdown": "![](https://evil.invalid/p.png) <details><summary>x</summary> | a | `b` ```\n# h\n---\n> q",
    # What breaks counting, cutting and storing.
    "surrogates": "\ud800 half, \udfff other \ud83d",
    "long-line": "x" * 120_000,
    "long-of-wide": "\u4e2d" * 20_000,
    "many-lines": "\n" * 5_000,
    "deep": "[" * 5_000,
    "empty": "",
    "blank": "\u2800\u3164 \t\n ",
    "quotes-and-paths": "'; DROP TABLE x; -- ../../etc/passwd C:\\con\\nul \\\\host\\share ~root $HOME",
    "spreadsheet": "=HYPERLINK(\"https://evil.invalid\") @SUM(1) +1+cmd|' /C calc'!A0 -1",
}  # fmt: skip
STORABLE: Final = {name: text for name, text in HOSTILE.items() if name != "surrogates"}
"""Those that UTF-8 can hold."""

UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\u3164\u115f\u2800\uffa0\ufeff\ue000\U000e0000-\U000e007f\U000f0000]"
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_COMMAND: Final = re.compile(r"(?m)^[^\w!-~\n]*::|##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)


def assert_may_stand_on_a_screen(text: str, *, coloured: bool = False) -> None:
    """Fail where a terminal or a runner would do something; `coloured` allows colours, which pytest adds."""
    if coloured:
        text = _COLOUR.sub("", text)
    for line in text.split("\n"):
        unseen = UNSEEN.search(line)
        assert unseen is None, ascii(line)[:500]
        command = _COMMAND.search(line)
        assert command is None, ascii(line)[:500]


def assert_may_stand_in_a_file(text: str) -> None:
    """Fail where a file that people open in an editor holds what cannot be seen."""
    unseen = UNSEEN.search(text.replace("\n", ""))
    assert unseen is None, ascii(text[max(0, unseen.start() - 100) : unseen.start() + 100])
