import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { INSTALLED } from '../../local/stack/installed.ts';

const OWN = join(INSTALLED.chromium, 'chromium');

/** Where Chromium may be: what a person names, what the tests have installed, what the system has. */
const PLACES = [
  process.env['ONCEFLOW_CHROMIUM'],
  OWN,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Undefined: there is none. */
export const CHROMIUM = PLACES.find((place) => place !== undefined && existsSync(place));

export const NO_CHROMIUM =
  'there is no Chromium: "node local/bootstrap.mjs --with chromium" brings one on Linux; elsewhere install Chrome, or name one by ONCEFLOW_CHROMIUM';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, env: CHROMIUM === OWN ? bareEnvironment() : environment() });
}

function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Libraries and a font of its own, behind those of the system: a bare machine has neither. */
function bareEnvironment(): Record<string, string> {
  const libraries = [process.env['LD_LIBRARY_PATH'], join(INSTALLED.chromium, 'al2023/lib')].filter(Boolean).join(delimiter);
  const fonts: Record<string, string> = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(INSTALLED.chromium, 'fonts') };
  return { ...environment(), LD_LIBRARY_PATH: libraries, ...fonts };
}
