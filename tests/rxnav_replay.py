"""A local RxNav: replays recorded answers over real HTTP, and is slow, failing, strict, garbled or odd when a test wants it."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RECORDED = Path(__file__).parent / "fixtures" / "rxnav"


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return found


def related(rxcui: str, *ingredients: tuple[str, str]) -> dict[str, Any]:
    concepts = [{"rxcui": code, "name": name, "tty": "IN"} for code, name in ingredients]
    group = {"tty": "IN", "conceptProperties": concepts} if concepts else {"tty": "IN"}
    return {"relatedGroup": {"rxcui": rxcui, "termType": ["IN"], "conceptGroup": [group]}}


def history(**derived: object) -> dict[str, Any]:
    return {"rxcuiStatusHistory": {"metaData": {"status": "Obsolete"}, "derivedConcepts": derived}}


# Answers in RxNav's documented shape where none was recorded.
ANSWERS: dict[tuple[str, str], dict[str, Any]] = {
    ("/rxcui.json", "levorphanol"): {"idGroup": {"name": "levorphanol", "rxnormId": ["6378"]}},
    ("/rxcui.json", "zocor"): {"idGroup": {}},
    ("/rxcui.json", "simvador"): {"idGroup": {"name": "simvador", "rxnormId": ["316672"]}},
    ("/rxcui.json", "twin"): {"idGroup": {"rxnormId": ["1", "2"]}},
    ("/rxcui.json", "nothing"): {"idGroup": {"name": "nothing"}},
    ("/rxcui/6378/related.json", "IN"): related("6378", ("6378", "levorphanol")),
    ("/rxcui/6378/related.json", "SCD SBD"): recorded("related_tty_SCD_SBD_6378.json"),
    ("/rxcui/73032/related.json", "SCD SBD"): recorded("related_tty_SCD_SBD_73032.json"),
    ("/rxcui/480/related.json", "SCD SBD"): recorded("related_tty_SCD_SBD_480.json"),
    ("/rxcui/56795/related.json", "SCD SBD"): recorded("related_tty_SCD_SBD_56795.json"),
    ("/rxcui/316672/related.json", "IN"): related("316672", ("36567", "simvastatin")),
    ("/rxcui/104490/related.json", "IN"): related("104490", ("36567", "simvastatin")),
    ("/rxcui/563653/related.json", "IN"): related("563653", ("36567", "simvastatin")),
    ("/rxcui/1116191/related.json", "IN"): related("1116191", ("3966", "ephedrine")),
    ("/rxcui/1/related.json", "IN"): related("1", ("6378", "levorphanol")),
    ("/rxcui/2/related.json", "IN"): related("2", ("36567", "simvastatin")),
    ("/rxcui/100/related.json", "IN"): related("100"),
    ("/rxcui/100/historystatus.json", ""): history(remappedConcept=[{"remappedRxCui": "6378", "remappedName": "x"}]),
    ("/rxcui/101/related.json", "IN"): related("101"),
    ("/rxcui/101/historystatus.json", ""): history(
        ingredientConcept=[{"ingredientRxcui": "161", "ingredientName": "acetaminophen"},
                           {"ingredientRxcui": "999", "ingredientName": "Obscure drug"}]),
    ("/rxcui/102/related.json", "IN"): related("102"),
    ("/rxcui/102/historystatus.json", ""): {"rxcuiStatusHistory": {"metaData": {"status": "Unknown"}}},
    ("/approximateTerm.json", "zocor"): recorded("approximateTerm_zocor.json"),
    ("/approximateTerm.json", "nothing"): {"approximateGroup": {"inputTerm": "nothing"}},
    ("/ndcstatus.json", "00143314501"): recorded("ndcstatus_00143314501.json"),
}  # fmt: skip


class Server:
    """RxNav as the test wants it: `mode` is well, slow, failing, strict, garbled or odd; `seen` is what it was asked."""

    def __init__(self) -> None:
        self.mode, self.delay_s = "well", 1.5
        self.seen: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.reply(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/REST"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        self.seen.append(handler.path)
        status, body = self.answer(urlsplit(handler.path))
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            pass  # the client did not wait

    def answer(self, url: Any) -> tuple[int, bytes]:
        if self.mode == "slow":
            time.sleep(self.delay_s)
        if self.mode in ("failing", "strict"):
            return (500, b"sorry") if self.mode == "failing" else (403, b"Forbidden")
        if self.mode == "garbled":
            return 200, b'{"idGroup": {"rxnormId": ["63'
        if self.mode == "odd":
            return 200, b'{"hello": "world"}'
        asked = parse_qs(url.query)
        key = next((asked[name][0] for name in ("name", "tty", "term", "ndc") if name in asked), "")
        return 200, json.dumps(ANSWERS.get((url.path.removeprefix("/REST"), key), {"idGroup": {}})).encode()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
