/**
 * `npm run docs:console`: pictures of the console for the documentation, and how long it takes to paint. The jobs are those of the tests.
 */
import { mkdirSync, statSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import type { ConsoleDeps } from '../../console/server/deps.ts';
import { serveConsole } from '../../console/server/serve.ts';
import { runCommand } from '../../local/command.ts';
import { openBrowser } from '../support/browser.ts';
import { emptyJob, failedJob, failingJob, missingJob, shownJob } from '../support/console-jobs.ts';

const FOLDER = 'docs/console';
const WIDE = { width: 1200, height: 760 };
const NARROW = { width: 390, height: 760 };
/** Drawings move for so long before they are taken. */
const SETTLE_MS = 1_500;
const TIMES = 5;

interface Picture {
  readonly name: string;
  readonly job: () => ConsoleDeps;
  readonly panel: string;
  /** @default 'light' */
  readonly colors?: 'light' | 'dark';
  /** @default WIDE */
  readonly size?: typeof WIDE;
}

const PICTURES: readonly Picture[] = [
  { name: 'overview-light', job: () => shownJob(), panel: 'overview' },
  { name: 'overview-dark', job: () => shownJob(), panel: 'overview', colors: 'dark' },
  { name: 'epochs-light', job: () => shownJob(), panel: 'epochs' },
  { name: 'epochs-dark', job: () => shownJob(), panel: 'epochs', colors: 'dark' },
  { name: 'transactions-64', job: () => shownJob({ subtasks: 64 }), panel: 'transactions' },
  { name: 'lag-64', job: () => shownJob({ subtasks: 64 }), panel: 'lag', colors: 'dark' },
  { name: 'subtasks', job: () => shownJob({ subtasks: 8 }), panel: 'scale' },
  { name: 'state', job: () => shownJob({ subtasks: 64 }), panel: 'state', colors: 'dark' },
  { name: 'dead-letters', job: () => shownJob(), panel: 'letters' },
  { name: 'failed', job: failedJob, panel: 'failures' },
  { name: 'failing', job: failingJob, panel: 'failures', colors: 'dark' },
  { name: 'at-work-light', job: failingJob, panel: 'overview' },
  { name: 'at-work-dark', job: failingJob, panel: 'overview', colors: 'dark' },
  { name: 'under-way', job: failingJob, panel: 'epochs' },
  { name: 'empty', job: emptyJob, panel: 'overview' },
  { name: 'no-job', job: missingJob, panel: 'overview' },
  { name: 'narrow', job: () => shownJob(), panel: 'overview', size: NARROW },
  { name: 'narrow-epochs', job: () => shownJob(), panel: 'epochs', size: NARROW, colors: 'dark' },
];

const USAGE = `npm run docs:console

Takes the pictures of docs/console with Chromium, and measures how long the console takes to paint.`;

await runCommand({ name: 'npm run docs:console', usage: USAGE, options: {} }, async () => {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await openBrowser();
  for (const picture of PICTURES) await take(browser, picture);
  const times: Times[] = [];
  for (let time = 0; time < TIMES; time++) times.push(await measure(browser));
  await browser.close();
  const inOrder = (of: keyof Times) =>
    times
      .map((each) => Math.round(each[of]))
      .toSorted((one, other) => one - other)
      .join(', ');
  console.log(
    `64 subtasks, 1,000 epochs, ${TIMES} times: first paint after ${inOrder('paintMs')} ms, graph and charts after ${inOrder('wholeMs')} ms`,
  );
  return 0;
});

interface Times {
  readonly paintMs: number;
  readonly wholeMs: number;
}

async function take(within: Browser, { name, job, panel, colors = 'light', size = WIDE }: Picture): Promise<void> {
  const server = await serveConsole(job(), 0, String);
  const page = await within.newPage({ viewport: size, colorScheme: colors, locale: 'en-US', reducedMotion: 'reduce' });
  await page.goto(server.address);
  await page.locator('nav').waitFor();
  await page.evaluate(`location.hash = '${panel}'`);
  await page.waitForTimeout(SETTLE_MS);
  const path = `${FOLDER}/${name}.png`;
  await page.screenshot({ path });
  await page.close();
  await server.close();
  console.log(`${path}  ${Math.round(statSync(path).size / 1_000)} KB`);
}

/** A console that has just begun, and a browser that knows nothing of it. */
async function measure(within: Browser): Promise<Times> {
  const server = await serveConsole(shownJob({ subtasks: 64, epochs: 1_100 }), 0, String);
  const context = await within.newContext({ viewport: WIDE, locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(server.address);
  await page.locator('.chart canvas').first().waitFor();
  const times = await page.evaluate(() => ({
    paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    wholeMs: performance.now(),
  }));
  await context.close();
  await server.close();
  return times;
}
