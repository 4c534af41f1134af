"""Where a branch is shared, and with what rights: as the user's repository says it. Nothing is stored."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ..text import log_line
from .runner import Git, last_words

NAME: Final = "aioncall"
"""What the remote is called in our own repository."""

# Settings of the user's repository that decide how a remote is reached: checkout's token, proxies, ssh.
_OF_TRANSPORT: Final = (
    "http.",
    "credential.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
)
_SCP_LIKE = re.compile(r"[^/\\]{2,}:")
# Runs on the other side of a push to the user's own repository: no hook of theirs, no cleaning up.
_OWN_RECEIVER: Final = "git -c core.hooksPath=/dev/null -c receive.autogc=false receive-pack"


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the branch is shared.

    shown   what people call it: `origin`, or `this repository` where there is no remote
    config  what git has to be told to reach it; may hold a token
    identity  whom git has configured: user.name and user.email, "" where it has none
    hidden  texts of it that no message may show
    is_own  there is no remote: the branch lives in the user's repository alone
    """

    shown: str
    config: tuple[tuple[str, str], ...] = field(repr=False)
    identity: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = field(default=(), repr=False)
    is_own: bool = False
    object_format: str = "sha1"


def find_remote(repository: Path, *, environ: Mapping[str, str], token: str, server_url: str) -> Remote:
    """Ask the user's repository for its remote: `origin`, else the branch's own, else the only one.

    token, server_url  what GitHub Actions gave the job. The token is used where the remote is of that server
                       and checkout left none (`persist-credentials: false`)
    Raises UsageError outside of a repository, and where several remotes leave the choice open.
    """
    git = Git(("-C", str(repository)), environ=environ)
    common = git.ask("rev-parse", "--git-common-dir", "--show-object-format")
    if common.code:
        why = last_words(common.complaint)
        raise UsageError(
            f"{repository}: a history on a branch needs a git repository ({why}); "
            "name a folder instead: --history DIR"
        )
    place, _, object_format = common.text.partition("\n")
    settings = _settings(git)
    # Of a setting that is there twice, git takes the last one.
    last = {key: value for _, key, value in settings}
    identity = tuple((key, last.get(key, "")) for key in ("user.name", "user.email"))
    name = _chosen(git, last)
    if name is None:
        own = str((repository / place).resolve())
        config = [(f"remote.{NAME}.url", own), (f"remote.{NAME}.receivepack", _OWN_RECEIVER)]
        return Remote("this repository", tuple(config), identity, is_own=True, object_format=object_format)
    # git takes a relative address from the top of the working tree.
    top = git.ask("rev-parse", "--show-toplevel")
    folder = Path(top.text) if top.code == 0 and top.text else repository
    url = _address(git.must("remote", "get-url", name).text.split("\n")[0], folder)
    push_url = _address(git.must("remote", "get-url", "--push", name).text.split("\n")[0], folder)
    transport = _transport(settings)
    if token and _has_no_rights(last, url=push_url, server_url=server_url):
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
        transport.append((f"http.{server_url.rstrip('/')}/.extraheader", f"AUTHORIZATION: basic {basic}"))
    headers = [value for key, value in transport if key.endswith(".extraheader")]
    return Remote(
        log_line(name, 60),
        ((f"remote.{NAME}.url", url), (f"remote.{NAME}.pushurl", push_url), *transport),
        identity,
        hidden=(token, *headers, *(header.rpartition(" ")[2] for header in headers)),
        object_format=object_format,
    )


def _chosen(git: Git, settings: Mapping[str, str]) -> str | None:
    """Return the name of the remote; None where there is none."""
    names = sorted({name for key in settings if (name := _remote_of(key))})
    if not names or "origin" in names:
        return "origin" if names else None
    if len(names) == 1:
        return names[0]
    branch = git.ask("symbolic-ref", "--quiet", "--short", "HEAD").text
    mine = settings.get(f"branch.{branch}.remote", "")
    if mine in names:
        return mine
    shown = ", ".join(log_line(one, 40) for one in names)
    raise UsageError(
        f"several remotes and none is called origin ({shown}), so it is open where the history belongs; "
        "set the remote of this branch: git branch --set-upstream-to REMOTE/BRANCH"
    )


def _remote_of(key: str) -> str:
    """Return the remote whose address a setting is, "" for any other setting."""
    return key[len("remote.") : -len(".url")] if key.startswith("remote.") and key.endswith(".url") else ""


def _address(url: str, folder: Path) -> str:
    """Return an address that does not depend on the folder it is used in."""
    if "://" in url or _SCP_LIKE.match(url) or Path(url).is_absolute():
        return url
    return str((folder / url).resolve())


def _settings(git: Git) -> list[tuple[str, str, str]]:
    """Return (scope, key, value) of all settings of the repository, those of included files with them."""
    listed = git.ask("config", "--list", "--includes", "--show-scope", "-z")
    words = listed.out.decode("utf-8", "surrogateescape").split("\0") if listed.code == 0 else []
    found = []
    for scope, setting in zip(words[::2], words[1::2], strict=False):
        key, newline, value = setting.partition("\n")
        found.append((scope, key, value if newline else "true"))
    return found


def _transport(settings: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Return the repository's own settings of transport.

    Checkout keeps its token in a file that is included for the user's repository alone: ours would not see
    it. What holds for all repositories git reads by itself.
    """
    return [
        (key, value)
        for scope, key, value in settings
        if scope in ("local", "worktree") and key.lower().startswith(_OF_TRANSPORT)
    ]


def _has_no_rights(settings: Mapping[str, str], *, url: str, server_url: str) -> bool:
    """Tell whether the token of the job belongs to this server, and no header is there already.

    A second authorization header is refused by the server.
    """
    server = server_url.rstrip("/") + "/"
    headers = [
        key
        for key, value in settings.items()
        if key.startswith("http.") and key.endswith(".extraheader") and value
    ]
    mine = [
        key for key in headers if url.startswith(key[len("http.") : -len(".extraheader")].rstrip("/") + "/")
    ]
    return url.startswith(server) and not mine and "http.extraheader" not in settings
