// node inbox.js CHROMIUM ADDRESS: an open inbox while messages arrive. Prints "open", then one JSON object.
const { chromium } = require("playwright-core");
const [executablePath, address] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  const said = { errors: [] };
  const rows = () => page.locator(".row").count();
  page.on("pageerror", (error) => said.errors.push(error.message));
  const asked = page.waitForResponse(/\/version$/);
  await page.goto(address);
  await (await asked).finished();
  await page.waitForTimeout(100);
  await page.evaluate(() => { window.same = true; });
  said.before = await rows();
  console.log("open");
  const button = page.locator(".fresh");
  await button.waitFor({ state: "visible", timeout: 60000 });
  said.offer = await button.textContent();
  said.waiting = await rows();
  await button.click();
  await page.waitForFunction((count) => document.querySelectorAll(".row").length > count, said.before);
  said.after = await rows();
  said.heading = await page.locator("h1").textContent();
  said.found = await page.evaluate(() => document.getElementById("ui:found").textContent);
  said.same = await page.evaluate(() => window.same === true);
  said.chosen = await page.locator(".row[aria-current]").count();
  await browser.close();
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(String(error)); process.exit(1); });
