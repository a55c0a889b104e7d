// node screenshots.js CHROMIUM FOLDER NAME=ADDRESS…: WebP pictures of pages at three widths, light and dark. Run by screenshots.py.
const { writeFileSync } = require("node:fs");
const { chromium } = require("playwright-core");
const [executablePath, folder, ...pages] = process.argv.slice(2);
const SIZES = { desktop: [1440, 1500], tablet: [820, 1300], phone: [390, 1300] };
const QUALITY = 60;

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  for (const named of pages) {
    const at = named.indexOf("=");
    const [name, address] = [named.slice(0, at), named.slice(at + 1)];
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      for (const colorScheme of ["light", "dark"]) {
        const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
        const page = await context.newPage();
        await page.goto(address);
        await page.waitForTimeout(500);
        const session = await context.newCDPSession(page);
        const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
        writeFileSync(`${folder}/${name}-${size}-${colorScheme}.webp`, Buffer.from(data, "base64"));
        await context.close();
      }
    }
  }
  await browser.close();
})().catch((error) => { console.error(String(error)); process.exit(1); });
