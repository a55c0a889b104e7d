// node page.js CHROMIUM FILE.html [SHOTS]: what a real browser makes of a page, as one JSON object.
const { readFileSync } = require("node:fs");
const { chromium } = require("playwright-core");
const [executablePath, file, shots] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"];

(async () => {
  const browser = await chromium.launch({ executablePath, args });
  const said = { requests: [], errors: [], shots: [] };
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  // What the page's policy stops is announced as a request too, and fails before it leaves.
  const outside = (request) => !/^(file|about|data):/.test(request.url());
  page.on("requestfinished", (request) => { if (outside(request)) said.requests.push(request.url()); });
  page.on("requestfailed", (request) => { if (outside(request) && !/csp/i.test(request.failure().errorText)) said.requests.push(`${request.url()} ${request.failure().errorText}`); });
  page.on("dialog", (dialog) => { said.errors.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(`file://${file}`);
  await page.waitForTimeout(300);
  said.title = await page.title();
  said.count = await page.locator("#count").textContent();
  said.articles = await page.locator("article:visible").count();
  await page.fill("#search", "zzz-nowhere");
  said.filtered = await page.locator("#count").textContent();
  await page.fill("#search", "");
  const channels = await page.locator("#channel option").allTextContents();
  await page.selectOption("#channel", channels[1] === undefined ? "" : channels[1]);
  said.first = { channel: channels[1], shown: await page.locator("article:visible").count() };
  await page.selectOption("#channel", "");
  await page.focus("#search");
  await page.keyboard.press("Tab");
  said.focus = await page.evaluate(() => document.activeElement.id);
  const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.click("#shade");
  said.shaded = before !== (await page.evaluate(() => getComputedStyle(document.body).backgroundColor));

  // The checker is a script of others, which the page's policy keeps out; the debugger's way in leaves the policy as it is.
  const checked = await (await browser.newContext()).newPage();
  said.violations = [];
  for (const colorScheme of ["light", "dark"]) {
    await checked.emulateMedia({ colorScheme });
    await checked.goto(`file://${file}`);
    await checked.evaluate(readFileSync(require.resolve("axe-core"), "utf8"));
    const found = await checked.evaluate(() => axe.run(document, { iframes: false }));
    for (const each of found.violations) said.violations.push({ colorScheme, id: each.id, impact: each.impact, nodes: each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)) });
  }
  for (const [name, width, colorScheme] of shots ? [["light", 1280, "light"], ["dark", 1280, "dark"], ["phone", 390, "light"]] : []) {
    const shot = await (await browser.newContext({ viewport: { width, height: 1100 }, colorScheme })).newPage();
    await shot.goto(`file://${file}`);
    await shot.waitForTimeout(500);
    await shot.screenshot({ path: `${shots}/preview-${name}.png` });
    said.shots.push(name);
  }
  await browser.close();
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(String(error)); process.exit(1); });
