import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ConsoleDeps } from '../../console/server/deps.ts';
import { serveConsole } from '../../console/server/serve.ts';
import { StoreProblem } from '../../lib/ports/store-problem.ts';
import { CHROMIUM, NO_CHROMIUM, openBrowser } from '../support/browser.ts';
import { brokersAway, emptyJob, FAILURE, failedJob, failingJob, HOSTILE, missingJob, shownJob } from '../support/console-jobs.ts';

const PANELS = ['overview', 'epochs', 'lag', 'transactions', 'state', 'savepoints', 'scale', 'failures', 'letters'];
const WIDE = { width: 1280, height: 900 };

let browser: Browser;

interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly address: string;
  /** What the browser complained of. */
  readonly complaints: string[];
  /** Hosts that were asked. */
  readonly hosts: Set<string>;
  /** What was asked to be done. */
  readonly calls: string[];
  close(): Promise<void>;
}

/** A console of this job, open in a browser. @param at behind the address */
async function open(deps: ConsoleDeps, options: { readonly width?: number; readonly withToken?: boolean } = {}): Promise<Opened> {
  const calls: string[] = [];
  const { act } = deps;
  const seen: ConsoleDeps['act'] = (call) => {
    calls.push(call.join(' '));
    return act?.(call) ?? Promise.reject(new Error('it only reads'));
  };
  const watched = { ...deps, act: act && seen };
  const server = await serveConsole(watched, 0, (error) => (error instanceof Error ? error.message : String(error)));
  const context = await browser.newContext({ viewport: { ...WIDE, width: options.width ?? WIDE.width }, locale: 'en-US' });
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(options.withToken === false ? new URL('/', server.address).href : server.address);
  onTestFinished(async () => {
    await context.close();
    await server.close();
  });
  return { page, context, address: server.address, complaints, hosts, calls, close: server.close };
}

/** Titles of drawings are not what is seen. */
const shown = (page: Page, text: string | RegExp) => page.getByText(text).filter({ visible: true }).first().waitFor();
const goTo = (page: Page, panel: string) => page.evaluate(`location.hash = '${panel}'`);

/** What is written for the page is text: the compiler knows no browser here. */
const WIDTH = 'document.documentElement.scrollWidth';
const GROUND = 'getComputedStyle(document.body).backgroundColor';
const MARKS_FIT = `(() => {
  const box = (of) => of.getBoundingClientRect();
  const svg = box(document.querySelector('.graph svg'));
  return [...document.querySelectorAll('.work-mark')].every((mark) => {
    const { left, right, bottom, top } = box(mark);
    const text = box(mark.querySelector('text'));
    const others = [...mark.parentElement.querySelectorAll(':scope > text')].map(box);
    return left >= svg.left && right <= svg.right && bottom <= svg.bottom && text.left >= left && text.right <= right && others.every((other) => other.bottom <= top + 4);
  });
})()`;
const MAKES_HTML = `(() => {
  try {
    document.body.insertAdjacentHTML('beforeend', '<b>bold</b>');
    return 'made';
  } catch (error) {
    return error.name;
  }
})()`;
/** Of a page of another origin: what each of these ways to ask comes to. */
const ASKS_FROM_ELSEWHERE = (target: string, token: string) => `(async () => {
  const ask = (init, path = '/actions/stop') => fetch('${target}' + path, init).then((response) => response.status || response.type, () => 'refused');
  const headers = { authorization: 'Bearer ${token}', 'content-type': 'application/json', 'x-onceflow-console': 'act' };
  return [
    await ask({ method: 'POST', headers, body: '{}' }),
    await ask({ method: 'POST', mode: 'no-cors', body: '{}' }),
    await ask({ headers: { authorization: 'Bearer ${token}' } }, '/panels/job'),
    await ask({}, '/panels/job'),
    await ask({ mode: 'no-cors' }, '/page/main.js'),
  ];
})()`;

describe.skipIf(CHROMIUM === undefined)(CHROMIUM === undefined ? NO_CHROMIUM : 'the console in Chromium', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it('shows a job of 64 subtasks and a thousand epochs in every panel, asks nobody else, and has nothing to complain of', async () => {
    const { page, complaints, hosts, address } = await open(shownJob({ subtasks: 64, epochs: 1_100 }));
    await shown(page, '64 subtasks');
    for (const panel of PANELS) {
      await goTo(page, panel);
      await page.locator(`nav a[href="#${panel}"][aria-current="page"]`).waitFor();
      await page.locator('main .note, main table, main svg, main p:not([role])').first().waitFor();
    }
    await goTo(page, 'epochs');
    await shown(page, 'The newest 1,000 epochs whose rows are there');
    for (let wider = 0; wider < 5; wider++) await page.getByRole('button', { name: 'longer span' }).click();
    expect(await page.locator('.timeline .bar').count()).toBeGreaterThan(3_000);
    await goTo(page, 'lag');
    await page.getByRole('cell', { name: 'lines-63' }).first().waitFor();
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(address).host]);
  });

  it('has painted a job of 64 subtasks and a thousand epochs, graph and charts too, with less than a quarter of a second of processor time', async () => {
    const { page, context } = await open(shownJob({ subtasks: 64, epochs: 1_100 }));
    const graph = page.locator('.graph svg');
    await graph.waitFor();
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    const usedMs = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      return 1_000 * (metrics.find(({ name }) => name === 'ThreadTime')?.value ?? Number.NaN);
    };
    const before = await usedMs();
    await page.reload();
    await graph.waitFor();
    const paints = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length);
    const used = (await usedMs()) - before;
    expect(paints).toBe(1);
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(250);
  });

  it('shows texts of users as text, whatever they hold: in topics, reasons, errors and names', async () => {
    const job = shownJob({
      text: HOSTILE,
      row: { failure: HOSTILE, noProgress: { generation: 6, sinceMs: Date.now() - 60_000, failuresInARow: 3, lastError: HOSTILE } },
    });
    const { page, complaints } = await open(job);
    await page.locator('.graph svg').waitFor();
    for (const panel of PANELS) {
      await goTo(page, panel);
      await page.locator(`nav a[href="#${panel}"][aria-current="page"]`).waitFor();
      await page.locator('main .note, main table, main svg, main p:not([role])').first().waitFor();
      expect(await page.locator('img, main script').count()).toBe(0);
    }
    await goTo(page, 'failures');
    expect(await page.locator('pre').first().textContent()).toBe(HOSTILE);
    await page.getByText(`in topic ${HOSTILE}, partition 3, offset`).first().waitFor();
    await goTo(page, 'letters');
    await page.getByRole('button', { name: '0:2' }).click();
    const letter = page.getByRole('region', { name: 'Letter 0:2' });
    for (const held of [`topic ${HOSTILE}, partition 2, offset 4713`, `count ${HOSTILE}`, `RangeError: ${HOSTILE} is no count`])
      await letter.getByText(held).first().waitFor();
    expect(await page.locator('img, main script').count()).toBe(0);
    await goTo(page, 'lag');
    await page.getByText(`${HOSTILE}-0`).first().waitFor();
    expect(await page.title()).toContain('word-count');
    expect(complaints).toEqual([]);
  });

  it('could not make HTML of a text if it tried: the browser refuses it', async () => {
    const { page } = await open(shownJob());
    await page.locator('.graph svg').waitFor();
    const tried = await page.evaluate(MAKES_HTML);
    expect(tried).toBe('TypeError');
  });

  it('says on the page that the token is missing, and shows nothing of the job', async () => {
    const { page } = await open(shownJob(), { withToken: false });
    await shown(page, /This page has no token/);
    expect(await page.locator('body').textContent()).not.toContain('word-count');
  });

  it('says the same of the token of another console', async () => {
    const other = await open(shownJob());
    const { page, address } = await open(shownJob(), { withToken: false });
    await page.goto('about:blank');
    await page.goto(`${new URL('/', address).href}${new URL(other.address).hash}`);
    await shown(page, /This page has no token, or one of a console that has ended/);
    expect(await page.locator('body').textContent()).not.toContain('word-count');
  });

  it('takes the token out of the address, and has it still after a reload', async () => {
    const { page, address } = await open(shownJob());
    await page.locator('.graph svg').waitFor();
    expect(page.url()).toBe(new URL('/', address).href);
    await page.reload();
    await page.locator('.graph svg').waitFor();
  });

  it('does nothing that a page of another origin asks for, by forms, images, scripts or fetch, also if it knows the token', async () => {
    const { context, address, calls } = await open(shownJob());
    const { origin, hash } = new URL(address);
    const evil = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>evil</h1>'));
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void evil.close());
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    const answers = (await page.evaluate(ASKS_FROM_ELSEWHERE(origin, hash.slice(1)))) as (number | string)[];
    expect(answers).toEqual(['refused', 'refused', 'refused', 'refused', 'refused']);
    await page.setContent(
      `<form id="f" method="post" enctype="text/plain" action="${origin}/actions/stop"><input name="{}" value=""></form>`,
    );
    const [sent] = await Promise.all([
      page.waitForResponse(`${origin}/actions/stop`),
      page.evaluate("document.getElementById('f').submit()"),
    ]);
    expect(sent.status()).toBe(403);
    // Where the form leads to, or what comes next interrupts it.
    await page.waitForURL(`${origin}/actions/stop`);
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    await page.setContent(`<iframe src="${origin}/"></iframe>`);
    const frame = page.frames().find((each) => each !== page.mainFrame());
    await expect.poll(() => frame?.url()).toMatch(/^chrome-error:/);
    expect(calls).toEqual([]);
  });

  it('asks before it acts, by keyboard as well, shows what the command answers, and gives the focus back', async () => {
    const { page, calls } = await open(shownJob());
    const button = page.getByRole('button', { name: 'Stop…' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Stop job word-count?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await button.and(page.locator(':focus')).count()).toBe(1);
    await page.keyboard.press('Enter');
    // What does nothing has the focus.
    await page.getByRole('button', { name: 'Do nothing' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(calls).toEqual([]);
    await button.click();
    await page.getByRole('button', { name: 'Stop it' }).click();
    await shown(page, 'onceflow stop: done');
    expect(calls).toEqual(['stop']);
  });

  it('moves along the timeline by keyboard, and comes back to what is newest', async () => {
    const { page } = await open(shownJob());
    await goTo(page, 'epochs');
    await shown(page, /^10 s, \d+ epochs$/);
    await page.getByRole('group', { name: /^Timeline/ }).focus();
    await page.keyboard.press('-');
    await shown(page, /^30 s, \d+ epochs$/);
    expect(await page.getByRole('button', { name: 'to the newest' }).count()).toBe(0);
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('button', { name: 'to the newest' }).waitFor();
    await page.keyboard.press('Home');
    await page.locator('.timeline title', { hasText: /^epoch 1 took/ }).waitFor({ state: 'attached' });
    await page.keyboard.press('End');
    await page.getByRole('button', { name: '● live' }).waitFor();
    await page.keyboard.press('+');
    await shown(page, /^10 s, \d+ epochs$/);
  });

  it('asks for nothing while nobody sees it, and goes on when somebody does', async () => {
    const { page } = await open(shownJob());
    await page.locator('.graph svg').waitFor();
    let asked = 0;
    page.on('request', () => asked++);
    const hidden = (is: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, value: ${is} }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hidden(true);
    // What was under way.
    await page.waitForTimeout(1_500);
    asked = 0;
    await page.waitForTimeout(2_500);
    expect(asked).toBe(0);
    await hidden(false);
    await expect.poll(() => asked).toBeGreaterThan(1);
  });

  it('makes a savepoint of a name that is one, and rescales within the bounds', async () => {
    const { page, calls } = await open(shownJob());
    await goTo(page, 'savepoints');
    await page.getByRole('button', { name: 'Make a savepoint…' }).click();
    await page.getByLabel('Name').fill('../etc');
    await page.getByRole('button', { name: 'Make it' }).click();
    await shown(page, /Refused, nothing was done/);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Make a savepoint…' }).click();
    await page.getByLabel('Name').fill('before-3.0');
    await page.keyboard.press('Enter');
    await shown(page, 'onceflow savepoint create before-3.0: done');
    await page.getByRole('button', { name: 'Close' }).click();
    await goTo(page, 'scale');
    await page
      .getByRole('row', { name: /count-words/ })
      .first()
      .getByRole('button', { name: 'Rescale…' })
      .click();
    const subtasks = page.getByRole('spinbutton', { name: 'Subtasks' });
    await subtasks.fill('999');
    // The page is drawn anew each second: what was typed stays.
    for (let drawn = 0; drawn < 2; drawn++) await page.waitForResponse(/\/job/);
    await page.getByRole('button', { name: 'Ask for it' }).click();
    expect(await subtasks.inputValue()).toBe('999');
    await subtasks.fill('16');
    await page.getByRole('button', { name: 'Ask for it' }).click();
    await shown(page, 'onceflow rescale count-words=16: done');
    expect(calls).toEqual(['savepoint create before-3.0', 'rescale count-words=16']);
  });

  it('has no buttons that act when it only reads', async () => {
    const { page } = await open(shownJob({ change: { act: undefined } }));
    for (const panel of PANELS) {
      await goTo(page, panel);
      await page.locator(`nav a[href="#${panel}"][aria-current="page"]`).waitFor();
      expect(await page.getByRole('button', { name: /…$/ }).count()).toBe(0);
    }
  });

  it('with brokers that are away says so where they are asked, and goes on elsewhere', async () => {
    const { page } = await open(shownJob({ change: brokersAway() }));
    for (const panel of ['lag', 'transactions', 'letters']) {
      await goTo(page, panel);
      await shown(page, /no broker of 127\.0\.0\.1:9092 answers/);
    }
    for (const [panel, what] of [
      ['overview', 'count-words'],
      ['epochs', 'records in'],
      ['state', 'largest subtask'],
      ['savepoints', 'before-2.0'],
    ] as const) {
      await goTo(page, panel);
      await shown(page, what);
      expect(await page.locator('.note').count()).toBe(0);
    }
  });

  it('of a job that there is not, of one without input, and of a table that may not be read says what is so', async () => {
    const missing = await open(missingJob());
    await shown(missing.page, /there is no job word-count in table onceflow/);
    const empty = await open(emptyJob());
    await shown(empty.page, /no epoch has had anything to do yet/);
    const deps = shownJob();
    const refuse = async () => {
      throw new StoreProblem('AccessDeniedException: not authorized to perform dynamodb:GetItem on table onceflow', false);
    };
    const denied = await open({ ...deps, epochs: { ...deps.epochs, readJob: refuse } });
    await shown(denied.page, /not authorized to perform dynamodb:GetItem/);
    await goTo(denied.page, 'savepoints');
    expect(await denied.page.locator('nav a').count()).toBe(PANELS.length);
  });

  it('of a table that is none says so in each panel that reads it, and can be looked through still', async () => {
    const deps = shownJob();
    const refuse = async () => {
      throw new StoreProblem('DynamoDB table nowhere does not exist (ONCEFLOW_TABLE)', false);
    };
    const store = { readJob: refuse, readEpoch: refuse, listEpochs: refuse, listSavepoints: refuse };
    const { page, complaints } = await open({ ...deps, epochs: { ...deps.epochs, ...store } });
    for (const panel of PANELS) {
      await goTo(page, panel);
      await page.locator(`nav a[href="#${panel}"][aria-current="page"]`).waitFor();
      await shown(page, /DynamoDB table nowhere does not exist \(ONCEFLOW_TABLE\)/);
    }
    expect(complaints).toEqual([]);
  });

  it('with a right that is missing for one thing says so there, and goes on elsewhere', async () => {
    const deps = shownJob({
      change: {
        blobStore: async () => {
          throw new StoreProblem('AccessDenied: not authorized to perform s3:GetObject', false);
        },
        owners: async () => [{ name: 'count-words', operator: 'count-words', key: {} } as never],
      },
    });
    const listSavepoints = async () => {
      throw new StoreProblem('AccessDeniedException: not authorized to perform dynamodb:Query', false);
    };
    const { page } = await open({ ...deps, epochs: { ...deps.epochs, listSavepoints } });
    await goTo(page, 'savepoints');
    await shown(page, /not authorized to perform dynamodb:Query/);
    await goTo(page, 'state');
    await page.getByRole('button', { name: 'keys of count-words' }).click();
    await shown(page, /not authorized to perform s3:GetObject/);
    for (const [panel, what] of [
      ['overview', 'count-words'],
      ['epochs', 'records in'],
      ['lag', 'lines-0'],
      ['transactions', 'read_committed up to'],
    ] as const) {
      await goTo(page, panel);
      await shown(page, what);
      expect(await page.locator('.note.unknown').count()).toBe(0);
    }
  });

  it('of a job that failed shows why, with stack, topic and offset, and lets it be resumed', async () => {
    const { page, calls } = await open(failedJob());
    await shown(page, 'The job failed and waits for a person.');
    await goTo(page, 'failures');
    await expect.poll(() => page.locator('pre').first().textContent()).toBe(FAILURE);
    await page.getByRole('button', { name: 'Resume…' }).click();
    await page.getByRole('button', { name: 'Resume it' }).click();
    await shown(page, 'onceflow resume: done');
    expect(calls).toEqual(['resume']);
  });

  it('shows the attempts that are under way by phase and stage, as of when, and of those that failed stack, topic and offset', async () => {
    const { page } = await open(failingJob());
    await goTo(page, 'epochs');
    await shown(page, /As the coordinator said 8 s ago/);
    const row = page.getByRole('row', { name: /^121 ▲ 3 / });
    expect(await row.textContent()).toContain('working');
    await row.getByText('✓ read-lines, took 145 ms').waitFor();
    await row.getByText(/^◐ count-words, at work for 13 s$/).waitFor();
    await page.getByRole('row', { name: /^120 1 .* committing/ }).waitFor();
    await goTo(page, 'failures');
    const failed = page.getByRole('article', { name: 'Failed attempt at epoch 121' });
    expect(await failed.count()).toBe(2);
    const newest = failed.first();
    await newest.getByText(/in topic lines, partition 3, offset 605011$/).waitFor();
    await newest.getByText(/at onRecord \(file:\/\/\/home\/me\/shop\/src\/job\.ts:14:31\)/).waitFor();
    await newest.getByText("epoch 121, stage count-words: the job's own code threw").waitFor();
    await failed
      .nth(1)
      .getByText(/connect ECONNREFUSED/)
      .waitFor();
    // Those of epochs that were decided in the end.
    expect(await page.getByRole('article', { name: 'Failed attempt at epoch 119' }).count()).toBe(2);
  });

  it('marks in the drawing the stage that is at work, with epoch and since when, and the sink that commits, also for who does not see it', async () => {
    const { page, complaints } = await open(failingJob());
    const marks = page.locator('.graph .work-mark');
    await expect.poll(() => marks.allTextContents()).toEqual([expect.stringMatching(/^◐ 121 since \d\d:\d\d:\d\d$/), '◑ commits 120']);
    const drawing = page.getByRole('img', { name: /count-words at work on epoch 121, attempt 3 since .* UTC/ });
    await drawing.waitFor();
    expect(await drawing.locator('.box.works').count()).toBe(2);
    await shown(page, /◐ under way, as the coordinator said 8 s ago/);
    // Nothing of it stands out of the drawing, or lies on the text of its box.
    const fits = await page.evaluate(MARKS_FIT);
    expect(fits).toBe(true);
    expect(complaints).toEqual([]);
    const well = await open(shownJob());
    await well.page.locator('.graph svg').waitFor();
    expect(await well.page.locator('.work-mark, .box.works').count()).toBe(0);
  });

  it('of a job that nobody runs, or that is well, shows nothing under way', async () => {
    const dead = failingJob();
    const row = await dead.epochs.readJob(dead.job);
    const { page } = await open({ ...dead, epochs: { ...dead.epochs, readJob: async () => row && { ...row, leaseExpiresAtMs: 0 } } });
    await goTo(page, 'epochs');
    await shown(page, 'Nobody runs the job.');
    const well = await open(shownJob());
    await goTo(well.page, 'epochs');
    await shown(well.page, /No epoch has been under way for long/);
  });

  it('says that the command has ended, keeps what it knew, and how old that is', async () => {
    const { page, close } = await open(shownJob());
    await page.locator('.graph svg').waitFor();
    await close();
    await shown(page, /The console does not answer/);
    await shown(page, /What follows is from/);
    expect(await page.locator('.graph svg').count()).toBe(1);
  });

  it('fits a narrow window: only tables and drawings are wider, and scroll for themselves', async () => {
    const { page } = await open(shownJob({ subtasks: 64 }), { width: 360 });
    for (const panel of PANELS) {
      await goTo(page, panel);
      await page.locator(`nav a[href="#${panel}"][aria-current="page"]`).waitFor();
      await page.locator('main .note, main table, main svg, main p:not([role])').first().waitFor();
      expect({ panel, wide: await page.evaluate(WIDTH) }).toEqual({ panel, wide: 360 });
    }
  });

  it('is dark where the system is', async () => {
    const { page } = await open(shownJob());
    await page.emulateMedia({ colorScheme: 'light' });
    const ground = () => page.evaluate(GROUND);
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).toBe('rgb(13, 17, 23)');
  });
});
