"""GitHub-flavoured markdown from text that must not be trusted: nothing a client sent may become markup, a link or a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_SUMMARY = 139
_MARKUP = re.compile(r"([\\`*_\[\]~])")
_LEADING = re.compile(r"^(\d{0,9})([-+=#.)])(?=\s|$|[-=#])")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp)://|\bwww\.")


def escaped(text: str) -> str:
    """A text as it reads, whatever it holds.

    >>> escaped("<b>*now*</b> see https://x.example")
    '&lt;b&gt;\\\\*now\\\\*&lt;/b&gt; see https\\u200b://x.example'
    """
    plain = " ".join(text.split())
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _LEADING.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", plain))
    # Renderers turn bare addresses into links whatever is escaped around them: an invisible space keeps them text.
    return _ADDRESS.sub(lambda m: m.group(0).replace("://", "\u200b://").replace("www.", "www\u200b."), plain)


def bullets(items: Iterable[str]) -> str:
    """A list of escaped items."""
    return "\n".join(f"- {escaped(item)}" for item in items)


def section(title: str, *lines: str) -> str:
    """A heading in bold with what stands under it; nothing when there is nothing."""
    said = [line for line in lines if line]
    return f"**{title}**\n\n" + "\n\n".join(said) if said else ""


def link(title: str, url: str) -> str:
    """A link to an address of our own data; the title alone when there is none that can be trusted."""
    safe = re.fullmatch(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", url)
    return f"[{escaped(title)}]({url})" if safe else escaped(title)


def naming(title: str, names: list[str], joint: str = " + ") -> str:
    """A summary that names as many things as fit, each whole, and says how many more there are.

    >>> naming("Bleeding", ["warfarin", "naproxen"])
    'Bleeding: warfarin + naproxen'
    """
    for count in range(len(names), 0, -1):
        more = len(names) - count
        text = f"{title}: {joint.join(names[:count])}" + (f" and {more} more" if more else "")
        if len(text) <= LONGEST_SUMMARY:
            return text
    return one_sentence(title)


def one_sentence(text: str, most: int = LONGEST_SUMMARY) -> str:
    """A summary within the limit, shortened between words.

    >>> len(one_sentence("word " * 60)) < 140
    True
    """
    plain = " ".join(text.split())
    if len(plain) <= most:
        return plain
    cut = plain[: most - 1]
    return cut[: cut.rfind(" ") if " " in cut else len(cut)].rstrip(" ,;:") + "…"
