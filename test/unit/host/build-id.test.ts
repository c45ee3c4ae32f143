import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { withBuildId } from '../../../host/job/build-id.ts';

const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'onceflow-build-'));
afterAll(() => rmSync(folder, { recursive: true }));

function buildOf(name: string, word: string, more: Readonly<Record<string, string>> = {}): string | undefined {
  const file = join(folder, name);
  writeFileSync(
    file,
    `import { defineJob, kafkaSink, kafkaSource, utf8 } from '${API}';
export default defineJob('job', (job) => {
  job.source('read', kafkaSource({ topic: 'in', value: utf8 })).map((line) => line + '${word}').sink('write', kafkaSink({ topic: 'out', value: utf8 }));
});
`,
  );
  const env = { PATH: process.env['PATH'], ONCEFLOW_JOB: file, ONCEFLOW_BROKERS: 'b:1', ONCEFLOW_BLOBS: 'file:///b', ...more };
  return withBuildId(env)['ONCEFLOW_BUILD_ID'];
}

it('the build of long-lived processes is ONCEFLOW_BUILD_ID, or else what the job is: another text or another topic is another build, another place is not', () => {
  const build = buildOf('a.ts', '!');
  expect(build).toMatch(/^[0-9a-f]{16}$/);
  expect(buildOf('b.ts', '!')).toBe(build);
  expect(buildOf('a.ts', '?')).not.toBe(build);
  expect(buildOf('a.ts', '!', { ONCEFLOW_TOPICS: 'write=elsewhere' })).not.toBe(build);
  expect(buildOf('a.ts', '!', { ONCEFLOW_BUILD_ID: 'mine' })).toBe('mine');
});
