// node page.js CHROMIUM ADDRESS: what a real browser makes of a page, as one JSON object. ADDRESS: a file: or http: address.
const { readFileSync } = require("node:fs");
const { chromium } = require("playwright-core");
const [executablePath, address] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"];
const NOWHERE = "zzz-nowhere";
const text = (page, id) => page.evaluate((id) => document.getElementById(id)?.textContent ?? null, id);
const notes = (page) => page.locator("[data-note]:visible").count();

async function behaviour(browser, said) {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" })).newPage();
  const origin = new URL(address).origin;
  // What the page's policy stops is announced as a request too, and fails before it leaves.
  const outside = (request) => !/^(file|about|data):/.test(request.url()) && !(origin !== "null" && request.url().startsWith(origin));
  page.on("requestfinished", (request) => { if (outside(request)) said.requests.push(request.url()); });
  page.on("requestfailed", (request) => { if (outside(request) && !/csp/i.test(request.failure().errorText)) said.requests.push(`${request.url()} ${request.failure().errorText}`); });
  page.on("pageerror", (error) => said.errors.push(error.message));
  page.on("console", (line) => { if (/style-src/.test(line.text())) said.styles.push(line.text()); });
  page.on("dialog", (dialog) => { said.errors.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(address);
  await page.waitForTimeout(300);
  said.title = await page.title();
  said.heading = await page.locator("h1").textContent();
  said.notes = await notes(page);
  said.found = await text(page, "ui:found");
  said.frames = await page.evaluate(() => [...document.querySelectorAll("iframe")].map((frame) => ({
    shown: frame.parentElement.clientWidth > 0,
    // A scaled frame covers its content: `clip` is what would have to scroll.
    clip: frame.contentDocument ? frame.contentDocument.documentElement.scrollHeight - frame.clientHeight : null,
    width: frame.clientWidth,
  })));
  if (said.notes) {
    await page.keyboard.press("/");
    said.focus = await page.evaluate(() => document.activeElement.name);
    await page.keyboard.type(NOWHERE);
    said.filtered = await text(page, "ui:found");
    said.nothing = await page.locator("[id='ui:nothing']").isVisible();
    said.address = await page.evaluate(() => location.search);
    await page.locator("[id='ui:clear']").click();
    await page.waitForFunction(() => document.getElementById("ui:clear").hidden);
    said.cleared = await text(page, "ui:found");
    const boxes = page.locator("input[name=channel]");
    if (await boxes.count()) {
      const wanted = Number(await boxes.first().locator("xpath=..").locator("small").textContent());
      await boxes.first().check();
      said.channel = { count: wanted, shown: await notes(page) };
      await boxes.first().uncheck();
    }
  }
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.locator("[id='ui:theme']").click();
  said.shaded = before !== (await ground());
  const links = await page.locator(".jump a").evaluateAll((all) => all.map((link) => link.hash));
  said.links = [];
  for (const hash of links) {
    await page.goto(address.split("#")[0] + hash);
    said.links.push(await page.evaluate(() => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.matches("section.note") ?? false));
  }
}

// The checker is a script of others, which the page's policy keeps out; the debugger's way in leaves the policy as it is.
async function check(page, said, where) {
  const found = await page.evaluate(() => axe.run(document, { iframes: false }));
  for (const each of found.violations) said.violations.push({ ...where, id: each.id, impact: each.impact, nodes: each.nodes.slice(0, 3).map((node) => node.html.slice(0, 240)) });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) said.wide.push({ ...where, wide });
  said.checks += 1;
}

// Each width in light as it opens, all open, and the first and last filtered to nothing; what dark changes are colours, and they show when all is open.
async function accessibility(browser, said) {
  for (const [width, dark, filtered] of [[1440, true, true], [820, false, false], [390, true, true]]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(address);
    await page.waitForTimeout(200);
    await page.evaluate(readFileSync(require.resolve("axe-core"), "utf8"));
    await check(page, said, { width, colorScheme: "light", state: "as it opens" });
    await page.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
    await page.waitForTimeout(100);
    await check(page, said, { width, colorScheme: "light", state: "all open" });
    if (dark) {
      await page.emulateMedia({ colorScheme: "dark" });
      await check(page, said, { width, colorScheme: "dark", state: "all open" });
      await page.emulateMedia({ colorScheme: "light" });
    }
    await page.fill("input[name=q]", NOWHERE);
    if (filtered) await check(page, said, { width, colorScheme: "light", state: "nothing matches" });
    await context.close();
  }
}

(async () => {
  const browser = await chromium.launch({ executablePath, args });
  const said = { requests: [], errors: [], styles: [], violations: [], wide: [], checks: 0 };
  await behaviour(browser, said);
  await accessibility(browser, said);
  await browser.close();
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(String(error)); process.exit(1); });
