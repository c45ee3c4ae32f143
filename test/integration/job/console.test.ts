import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { CHROMIUM, NO_CHROMIUM, openBrowser } from '../../support/browser.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const COMMAND = fileURLToPath(new URL('../../../cli/onceflow.mjs', import.meta.url));

/** Runs `onceflow console` until the test ends; answers the address that it prints. */
async function startConsole(env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, 'console', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  for await (const line of createInterface({ input: child.stdout })) return (JSON.parse(line) as { address: string }).address;
  throw new Error('the console ended before it has said where it is');
}

it.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? NO_CHROMIUM : 'the console shows a job with kills as it goes on, makes a savepoint of it, and stops it, exactly',
  async () => {
    const count = await newWordCount({ env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: '300' } });
    const run = count.job.start({}, 'each');
    const feed = count.feed();
    const address = await startConsole(count.job.env);
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ locale: 'en-US' });
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.goto(address);
    await page.getByText('● running').waitFor();
    // The graph is that of the job's module, and what flows over its edges that of its epochs.
    for (const stage of ['read-lines', 'count-words', 'write-counts'])
      await page.locator('.graph text', { hasText: stage }).first().waitFor();
    await expect.poll(() => page.locator('.edge.flows').count(), { timeout: 60_000 }).toBe(2);

    await run.until('two more epochs', () => run.eventsOf('committed').length >= 2 || undefined);
    for (const role of ['operator', 'coordinator']) {
      process.kill(await run.pid(role), 'SIGKILL');
      const committed = run.eventsOf('committed').length;
      await run.until('epochs behind the kill', () => run.eventsOf('committed').length >= committed + 3 || undefined);
    }
    const seen = run.eventsOf('committed').at(-1)?.epoch ?? 0;

    await page.locator('nav a[href="#epochs"]').click();
    await page
      .getByRole('cell', { name: `${seen}`, exact: true })
      .first()
      .waitFor();
    const lanes = page.locator('.timeline text.lane');
    // Each has its whole name as a title too.
    const names = async () => (await lanes.allTextContents()).map((text) => text.slice(0, 6));
    await expect.poll(names).toEqual(['read-l', 'count-', 'write-', 'decide', 'commit']);

    await page.locator('nav a[href="#lag"]').click();
    await page.getByRole('cell', { name: `${count.input}-0`, exact: true }).waitFor();
    await page.locator('nav a[href="#transactions"]').click();
    await page
      .getByRole('cell', { name: `${count.output}-0`, exact: true })
      .first()
      .waitFor();
    await page.getByText(/of \d+ transactions open/).waitFor();
    await page.locator('nav a[href="#state"]').click();
    await page.getByRole('button', { name: 'keys of count-words' }).click();
    await page.getByText(/Of \d+ entries, after epoch \d+/).waitFor();
    await page.getByText(/of the \d+ deltas? that the snapshots of epoch \d+ have behind their bases/).waitFor();

    await page.locator('nav a[href="#savepoints"]').click();
    await page.getByRole('button', { name: 'Make a savepoint…' }).click();
    await page.getByLabel('Name').fill('from-the-page');
    await page.keyboard.press('Enter');
    await page.getByText(/savepoint from-the-page keeps epoch \d+/).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('cell', { name: 'from-the-page' }).waitFor();

    await feed.stop();
    await count.allCounted(run);
    await page.getByRole('button', { name: 'Stop…' }).click();
    await page.getByRole('button', { name: 'Stop it' }).click();
    await page.getByText(/is stopped: epoch \d+ is its last, and committed; no transaction is open/).waitFor({ timeout: 120_000 });
    expect(await run.ended).toMatchObject({ end: 'stopped' });
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByText('■ stopped').waitFor();
    await page.getByRole('button', { name: 'Resume…' }).waitFor();
    expect(complaints).toEqual([]);
  },
);

it.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined
    ? NO_CHROMIUM
    : 'the console with a broker that is down shows what the table has, and with a table that is none says that',
  async () => {
    const count = await newWordCount({ env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: '300' } });
    const run = count.job.start();
    await count.write(['a b', 'b']);
    await count.allCounted(run);
    await run.stop();
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ locale: 'en-US' });
    await page.goto(await startConsole({ ...count.job.env, ONCEFLOW_BROKERS: '127.0.0.1:9' }));
    await page.getByText('■ stopped').waitFor();
    await page.locator('nav a[href="#lag"]').click();
    await page
      .getByRole('alert')
      .getByText(/127\.0\.0\.1:9/)
      .waitFor();
    await page.locator('nav a[href="#epochs"]').click();
    await page
      .getByText(/^The newest \d+ epochs? whose rows are there$/)
      .first()
      .waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);

    await page.goto(await startConsole({ ...count.job.env, ONCEFLOW_TABLE: 'nowhere' }));
    await page
      .getByRole('alert')
      .getByText(/nowhere/)
      .first()
      .waitFor();
    expect(await page.locator('nav a').count()).toBeGreaterThan(5);
  },
);
