"""The page of the documentation in a real browser, under its own policy."""

import asyncio
import itertools
import json
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.machine import program

WALK = """
(async () => {
  const until = async (what) => {
    for (let i = 0; i < 2000; i++) {
      const value = what();
      if (value) return value;
      await new Promise((done) => setTimeout(done, 25));
    }
    throw new Error(`never: ${what}`);
  };
  const blocks = await until(() => {
    const found = document.querySelectorAll(".opblock");
    return found.length && found;
  });
  const form = document.getElementById("login");
  form.elements.password.value = PASSWORD;
  form.requestSubmit();
  const text = () => document.getElementById("said").textContent;
  await until(() => text().startsWith("Logged in") || text().includes("Invalid"));
  document.querySelector("[id$='list_photos'] button").click();
  const button = "[id$='list_photos'] button.execute";
  const answer = "[id$='list_photos'] .live-responses-table .response-col_description pre";
  const resolved = ["paths", "/photos", "get"];  // as a person would wait for what unfolds
  await until(() => ui.specSelectors.specResolvedSubtree(resolved)?.get("operationId"));
  (await until(() => document.querySelector(button))).click();
  const shown = await until(() => document.querySelector(answer));
  const loaded = performance.getEntriesByType("resource").map((each) => new URL(each.name).origin);
  return {
    operations: blocks.length,
    said: text(),
    photos: JSON.parse(shown.textContent).total,
    origins: [...new Set(loaded)],
    refused: window.refused,
  };
})()
"""
WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", (e) => window.refused.push(e.violatedDirective));
"""


@pytest.fixture
async def browser(tmp_path: Path):
    """A browser's first tab: call it with a method of its debugging protocol."""
    home = tmp_path / "browser"
    command = [
        program("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
        "--remote-debugging-port=0",
        "--remote-allow-origins=*", f"--user-data-dir={home}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(120):
            told = home / "DevToolsActivePort"
            while not told.exists() or len(told.read_text().split()) < 2:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.05)
            port = told.read_text().split()[0]
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
            async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as tab:
                numbers = itertools.count(1)

                async def call(method: str, **parameters):
                    number = next(numbers)
                    await tab.send_json({"id": number, "method": method, "params": parameters})
                    while (answer := await tab.receive_json()).get("id") != number:
                        pass
                    return answer["result"]

                yield call
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_the_page_works_in_a_browser(server, browser):
    """It shows every operation, logs in and tries one; no outside call, nothing refused."""
    await browser("Page.enable")
    await browser("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    await browser("Page.navigate", url=f"{server.url}/docs")
    password = json.dumps(server.environment["BACKEND_PASSWORD"])
    walk = WALK.replace("PASSWORD", password)
    while True:
        seen = await browser(
            "Runtime.evaluate", expression=walk, awaitPromise=True, returnByValue=True
        )
        if "value" in seen.get("result", {}) or "exceptionDetails" in seen:
            break  # else the evaluation began on the blank page before this one
    fault = seen.get("exceptionDetails", {}).get("exception", {}).get("description")
    assert fault is None, fault
    found = seen["result"]["value"]
    document = (await server.ask("GET", "/openapi.json")).json
    assert found["operations"] == sum(len(methods) for methods in document["paths"].values())
    assert found["said"].startswith("Logged in for 15 minutes")
    assert found["photos"] == 5
    assert found["origins"] == [server.url]
    assert found["refused"] == []
