import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../cli/arguments.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import { rows } from '../../../lib/config/parameters.ts';

/** But for docs/cli.md, which is made of the commands themselves (`npm run docs:cli`). */
const pages = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...globSync(['docs/*.md', 'docs/operators/*.md'])].filter(
  (page) => page !== 'docs/cli.md',
);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
const variables: ReadonlySet<string> = new Set(rows.map(([, { variable }]) => variable));

/** Variables that are none of the parameters' table, and what reads them. */
const OTHER_VARIABLES: Readonly<Record<string, string>> = {};

/** Programs of others: what they take is not ours to check. With why a command line names them and no test runs it. */
const OTHERS: Readonly<Record<string, string>> = {
  acl: 'a shell function of the page around kafka-acls; the same rights are asked for by test/integration/job/security.test.ts',
  'acl()': 'the function itself',
  aws: 'the command line of AWS, for an account',
  cd: 'the shell',
  cmp: 'the shell',
  docker: 'needs Docker, which the machine of the tests has not',
  git: 'the shell',
  sort: 'the shell',
  openssl: 'a certificate of one’s own; test/integration/job/workers.test.ts makes one with the same options',
  'node_modules/.bin/node': 'a script of the checkout: that it is there is checked',
  'bench/nexmark.sh': 'Flink and Kafka Streams, by hand',
  'bench/stack': 'the stack of benchmarks, by hand',
  'bench/targets.sh': 'hours of benchmarks',
};

/** Blocks that are no commands: what a program says, or what is typed into another one. By their first words. */
const SHOWN: readonly (readonly [begins: RegExp, what: string])[] = [
  [
    /^(job word-count|topic lines|progress |time {3,}|takes over|superseded|consumer group|2800 |fault |bench\.py|WRONG|ONCEFLOW_CHECKPOINT_INTERVAL_MS is )/,
    'what a program prints',
  ],
  [/^(filter|fields) /, 'queries of CloudWatch Logs Insights'],
  [/^kafka: \{/, 'a part of the properties of a StreamJob: it has types, and infra tests'],
];

interface Line {
  readonly page: string;
  readonly text: string;
}

/** The indented blocks of a page, outside of lists and fences; lines that end in a backslash go on. */
function blocksIn(page: string): Line[][] {
  const text = readFileSync(page, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/\\\n\s*/g, '');
  return text
    .split(/\n(?! {4}| *\n {4})/)
    .map((part) => part.split('\n').filter((line) => /^ {4}\S/.test(line)))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => ({ page, text: line.slice(4) })));
}

/** A command line without what stands behind it to explain it, and without what the shell does with it. */
function commandOf(text: string): string {
  return text.split(/ {2,}(?=\S)|\t| # /)[0]?.trim() ?? '';
}

/** The words of each command in it. Placeholders are words. */
function callsIn(command: string): string[][] {
  return command
    .split(/\s*(?:&&|;)\s*|\s+\|\s+/)
    .map((part) => part.replace(/\s*[<>]\s*\S+/g, ' ').trim())
    .filter((part) => part !== '' && part !== '}')
    .map((part) => [...part.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, '')));
}

/** Undefined: nothing is wrong with it. */
function faultOf([word = '', ...others]: readonly string[]): string | undefined {
  if (/^[A-Z_]+=/.test(word)) return variableFault(word) ?? (others.length === 0 ? undefined : faultOf(others));
  if (word === 'export') return others.map(variableFault).find((fault) => fault !== undefined);
  if (word === '.' || word === 'unset') return undefined;
  if (word === 'npm') return npmFault(others);
  if (word === 'npx') return others[0] === 'onceflow' ? onceflowFault(others.slice(1)) : undefined;
  if (word === 'onceflow') return onceflowFault(others);
  return Object.hasOwn(OTHERS, word) ? undefined : `${word} is no program that this test knows: add it, with why it is not run`;
}

function variableFault(assignment: string): string | undefined {
  const [name = ''] = assignment.split('=');
  if (!name.startsWith('ONCEFLOW_') || variables.has(name) || Object.hasOwn(OTHER_VARIABLES, name)) return undefined;
  return `there is no ${name}`;
}

function npmFault([what = '', name = '']: readonly string[]): string | undefined {
  if (what === 'run') return scripts[name] === undefined ? `there is no script ${name}` : undefined;
  if (['test', 'install', 'pack', 'ci'].includes(what)) return undefined;
  return `npm ${what} is not known to this test`;
}

function onceflowFault(words: readonly string[]): string | undefined {
  try {
    readArguments(COMMANDS, words).values();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe.each(pages)('%s', (page) => {
  const blocks = blocksIn(page);

  it('has command lines that would be taken as they are, or says what else a block is', () => {
    const faults = blocks
      .filter(([first]) => !SHOWN.some(([begins]) => begins.test(first?.text ?? '')))
      .flat()
      // What explains the line before goes on under its explanation.
      .filter(({ text }) => !/^\s{4,}/.test(text))
      .flatMap(({ text }) => callsIn(commandOf(text)).map((call) => ({ text, fault: faultOf(call) })))
      .filter(({ fault }) => fault !== undefined);
    expect(faults).toEqual([]);
  });

  it('names in its text commands of onceflow that there are', () => {
    const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
    const named = [...text.matchAll(/`(?:npx )?onceflow (?<command>[a-z][a-z-]*)/g)].map(({ groups }) => groups?.['command'] ?? '');
    expect([...new Set(named)].filter((name) => !COMMANDS.some((command) => command.name === name))).toEqual([]);
  });

  it('names parameters that there are', () => {
    const named = [...readFileSync(page, 'utf8').matchAll(/\bONCEFLOW_[A-Z][A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const of = (name: string) => variables.has(name) || Object.hasOwn(OTHER_VARIABLES, name) || /^ONCEFLOW_KAFKA_ORDERS_/.test(name);
    expect([...new Set(named)].filter((name) => !of(name))).toEqual([]);
  });
});

it('a command line with an option, a command, a script or a parameter that there is not is found', () => {
  expect(faultOf(['npx', 'onceflow', 'status', '--jbo', 'a'])).toContain('--jbo');
  expect(faultOf(['npx', 'onceflow', 'statuses'])).toContain('no command statuses');
  expect(faultOf(['npm', 'run', 'docs:sites'])).toBe('there is no script docs:sites');
  expect(faultOf(['export', 'ONCEFLOW_BROKER=a:9092'])).toBe('there is no ONCEFLOW_BROKER');
  expect(faultOf(['kubectl', 'apply'])).toContain('is no program that this test knows');
  expect(callsIn(commandOf('npx onceflow dev --once < in.txt > out.txt  puts a file through'))).toEqual([
    ['npx', 'onceflow', 'dev', '--once'],
  ]);
});

const fences = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/^ *```(?<language>\w*)\n(?<code>[\s\S]*?)^ *```/gm)].map(({ groups }) => ({
    page,
    language: groups?.['language'] ?? '',
    code: groups?.['code'] ?? '',
  })),
);

it('every block of code is of a kind that is compiled, parsed or run, or says why not', () => {
  const kinds: Readonly<Record<string, string>> = {
    '': 'a drawing, or what a program shows',
    ts: 'compiled by test/unit/api/docstrings.test.ts',
    js: 'parsed here',
    json: 'parsed here',
    mermaid: 'drawn by the build of the site, which fails where it cannot',
    sql: 'run by test/integration/sinks on PostgreSQL and ClickHouse',
    java: 'of other systems, for comparison',
  };
  expect(fences.filter(({ language }) => !Object.hasOwn(kinds, language)).map(({ page, language }) => `${page}: ${language}`)).toEqual([]);
});

it('every block of JSON parses', () => {
  const json = fences.filter(({ language }) => language === 'json');
  expect(json.length).toBeGreaterThan(0);
  for (const { code } of json) expect(() => JSON.parse(code)).not.toThrow();
});

it('every block of JavaScript parses', () => {
  const scripts = fences.filter(({ language }) => language === 'js');
  expect(scripts.length).toBeGreaterThan(0);
  for (const { code } of scripts) expect(ts.transpileModule(code, { reportDiagnostics: true }).diagnostics).toEqual([]);
});
