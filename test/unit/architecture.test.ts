import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function violationsIn(tree: string, folders: readonly string[]): Promise<string[]> {
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const child = spawn(process.execPath, [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...folders], {
    cwd: tree,
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await once(child, 'close');
  const report = JSON.parse(output) as { summary: { violations: { rule: { name: string }; from: string; to: string }[] } };
  return report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

test('folders import in one direction', async () => {
  expect(
    await violationsIn(ROOT, [
      'lib',
      'host',
      'functions',
      'console',
      'cli',
      'workers',
      'infra',
      'local',
      'jobs',
      'examples',
      'bench',
      'model',
      'package',
      'site',
      'test',
    ]),
  ).toEqual([]);
}, 240_000);

test('an import in the wrong direction is found, also one of types only', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'onceflow-architecture-'));
  const write = (file: string, text: string) => {
    mkdirSync(join(tree, dirname(file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  };
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) cpSync(join(ROOT, name), join(tree, name));
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  write('lib/kafka/connect.ts', "import { Kafka } from 'kafkajs';\nexport type Connection = Kafka;\n");
  write('lib/stages/sink.ts', 'export const sink = 1;\n');
  write('lib/graph/stages.ts', "export type { Connection } from '../kafka/connect.ts';\n");
  write('lib/epoch/decision/after-refusal.ts', "import { sink } from '../../stages/sink.ts';\nexport const decide = sink;\n");
  write('lib/sinks/connector.ts', 'export type Connector = 1;\n');
  write('lib/sinks/kafka/prepare.ts', 'export const prepare = 1;\n');
  write('lib/epoch/attempt/attempt.ts', "export type { Connector } from '../../sinks/connector.ts';\n");
  write('lib/epoch/prepare.ts', "export { prepare } from '../sinks/kafka/prepare.ts';\n");
  write('lib/state/snapshot.ts', "import type { Context } from 'aws-lambda';\nexport type Snapshot = Context;\n");
  write('host/process.ts', 'export const open = 1;\n');
  write('host/log.ts', "import type { Context } from './lambda-log.ts';\nexport type Log = Context;\n");
  write('host/lambda-log.ts', "import type { Log } from './log.ts';\nexport type Context = Log;\n");
  write('infra/app.ts', "export * from '../host/process.ts';\n");
  write('jobs/word-count.ts', "export const later = () => import('../lib/graph/stages.ts');\n");
  try {
    const violations = await violationsIn(tree, ['lib', 'host', 'infra', 'jobs']);
    expect(violations.map((violation) => violation.replace(/\S*node_modules\//, '')).toSorted()).toEqual([
      'connectors-are-behind-their-table: lib/epoch/prepare.ts → lib/sinks/kafka/prepare.ts',
      'infra-imports: infra/app.ts → host/process.ts',
      'jobs-imports: jobs/word-count.ts → lib/graph/stages.ts',
      'lambda-types-only-in-functions: lib/state/snapshot.ts → @types/aws-lambda/index.d.ts',
      'lib-epoch-imports: lib/epoch/decision/after-refusal.ts → lib/stages/sink.ts',
      'lib-epoch-imports: lib/epoch/prepare.ts → lib/sinks/kafka/prepare.ts',
      'lib-graph-imports: lib/graph/stages.ts → lib/kafka/connect.ts',
      'no-circles-of-types: host/lambda-log.ts → host/log.ts',
    ]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}, 240_000);
