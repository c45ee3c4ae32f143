import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeResult } from '../../../cli/commands/describe.ts';
import { main } from '../../../cli/main.ts';
import { planJob } from '../../../host/job/configured-job.ts';
import { loadJob } from '../../../host/job/load-job.ts';
import { parameterValues } from '../../../lib/config/origins.ts';
import { readToolConfig } from '../../../lib/config/read-config.ts';
import { fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';

const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));

async function described(module: string, env: Record<string, string> = {}) {
  const { job, plan, parallelism } = planJob(readToolConfig(env), await loadJob(module));
  const graph = describeGraph(job);
  return describeResult({ name: job.name, graph, fingerprint: fingerprint(graph), plan, parallelism }, parameterValues(env));
}

describe('a described job', () => {
  it('is its stages, with what they do and where their output goes', async () => {
    const { text } = await described('./jobs/word-count.ts', { ONCEFLOW_STAGE_PARALLELISM: 'count-words=4' });
    expect(text.split('\n\n').slice(0, 4)).toEqual([
      'job word-count',
      'read-lines  reads topic flink_kafka, from latest, 1 subtask\n└─ flatMap\n   └─ by key, utf8 ──▶ count-words',
      'count-words  keyed, 4 subtasks\n└─ process count-words, state count (value int64)\n   └─ output ──▶ write-counts',
      'write-counts  writes topic flink_kafka2, 1 subtask',
    ]);
  });

  it('shows the dead letters that the configuration adds, and the topics that it changes', async () => {
    const { text } = await described('./jobs/word-count.ts', {
      ONCEFLOW_POISON_POLICY: 'dead-letter',
      ONCEFLOW_DEAD_LETTER_TOPIC: 'dead',
      ONCEFLOW_TOPICS: 'read-lines=lines',
    });
    expect(text).toContain(
      'reads topic lines, from latest, 1 subtask\n├─ flatMap\n│  └─ by key, utf8 ──▶ count-words\n└─ errors ──▶ dead-letters\n',
    );
    expect(text).toContain('\ndead-letters  writes topic dead, 1 subtask\n');
  });

  it('shows of an operator the states that its author declared, and that it works by time', async () => {
    const { text } = await described('./jobs/nexmark/q4.ts');
    expect(text).toMatch(
      /\nwait-for-end {2}keyed, works by time, 1 subtask\n└─ process wait-for-end, state open \(value json\), best \(value json\)\n/,
    );
  });

  it('shows every parameter, with where its value comes from', async () => {
    const { text, json } = await described('./jobs/word-count.ts', { ONCEFLOW_LEASE_MS: '5000' });
    expect(text).toMatch(/\nONCEFLOW_LEASE_MS +5000 ms +environment\n/);
    expect(text).toMatch(/\nONCEFLOW_EPOCH_TIMEOUT_MS +60000 ms +default\n/);
    expect(text).toMatch(/\nONCEFLOW_STARTING_OFFSETS +\(what each source says\) +job\n/);
    expect(text).toMatch(/\nONCEFLOW_BROKERS +\(it is required to run the job\) +nowhere\n/);
    expect(text).not.toContain('ONCEFLOW_BENCH_DIR');
    expect(json).toMatchObject({ job: 'word-count', stages: [{ id: 'read-lines' }, {}, {}], parallelism: { 'count-words': 1 } });
  });
});

describe('onceflow describe', () => {
  async function run(args: readonly string[], env: NodeJS.ProcessEnv) {
    const [stdout, stderr]: [string[], string[]] = [[], []];
    const code = await main(args, env, { log: (line) => stdout.push(line), error: (line) => stderr.push(line) });
    return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
  }

  // It is loaded in a process of its own.
  it('answers in JSON whatever the job prints, without brokers and blobs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-describe-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(
      join(folder, 'job.mts'),
      `import { defineJob, kafkaSource, utf8 } from '${API}';
      console.log('loading');
      enum Color { red = 'red' }
      export default defineJob('chatty', (job) => void job.source('read', kafkaSource({ topic: Color.red, value: utf8 })));`,
    );
    const { code, stdout } = await run(['describe', '--json', '--set'], { ONCEFLOW_JOB: join(folder, 'job.mts') });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      job: 'chatty',
      stages: [{ topic: 'red' }],
      parameters: [{ variable: 'ONCEFLOW_JOB', from: 'environment' }],
    });
  });

  it('without a module says which variable names it: exit code 2', async () => {
    expect(await run(['describe'], {})).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('which job? Name its module: onceflow describe ./path/to/job.ts'),
    });
  });
});
