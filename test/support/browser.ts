import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { INSTALLED } from '../../local/stack/installed.ts';

/** Where Chromium may be: what a person names, what the tests have installed, what the system has. */
const PLACES = [
  process.env['ONCEFLOW_CHROMIUM'],
  INSTALLED.chromium,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Undefined: there is none. "node local/bootstrap.mjs --with chromium" brings one on Linux; elsewhere Chrome is found, or named by ONCEFLOW_CHROMIUM. */
export const CHROMIUM = PLACES.find((place) => place !== undefined && existsSync(place));

export const NO_CHROMIUM =
  'there is no Chromium: "node local/bootstrap.mjs --with chromium" brings one on Linux, or ONCEFLOW_CHROMIUM names one';

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
