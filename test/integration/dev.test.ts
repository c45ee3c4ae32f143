import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder, saveJob, startDev } from '../support/dev-process.ts';
import { onceflow } from '../support/onceflow.ts';
import { requireEnv } from '../support/require-env.ts';
import { uniqueName } from '../support/topics.ts';

const env = { ONCEFLOW_BROKERS: requireEnv('ONCEFLOW_BROKERS'), ONCEFLOW_CHECKPOINT_INTERVAL_MS: '60' };

describe('onceflow dev on brokers of the user', () => {
  it('counts what is typed, goes on from the last epoch with what is saved, and runs what it has while that is not right', async () => {
    const [folder, name] = [projectFolder(), uniqueName('dev')];
    saveJob(folder, { name, between: ': ' });
    const dev = startDev(folder, ['job.ts', '--create-topics', '--partitions', '2'], env);
    await dev.untilSaid(`job ${name} runs, for the first time`);
    expect(dev.said()).toContain(`made topics ${name}-in, ${name}-out, 2 partitions each`);
    dev.type('hello world\nhello again\n');
    await dev.untilShown(['hello: 1', 'hello: 2', 'world: 1', 'again: 1']);

    writeFileSync(join(folder, 'job.ts'), "throw new Error('not yet');");
    await dev.untilSaid('the job runs on as it was before; mend it and save');
    expect(dev.said()).toMatch(
      /saved at [\d:]+, and not right: ONCEFLOW_JOB=\.\/job\.ts: the module cannot be loaded: not yet \(job\.ts:1\)\n/,
    );
    dev.type('hello\n');
    await dev.untilShown(['hello: 3']);

    saveJob(folder, { name, between: ' = ' });
    await dev.untilSaid(/the job stops in order, and goes on as it is now\n(.*\n)*job \S+ runs, from epoch \d+ on/);
    dev.type('hello\n');
    await dev.untilShown(['hello = 4']);
    expect(dev.shown().toSorted()).toEqual(['again: 1', 'hello = 4', 'hello: 1', 'hello: 2', 'hello: 3', 'world: 1']);

    dev.child.kill('SIGINT');
    expect(await dev.ended).toBe(0);
    expect(dev.shown()).toHaveLength(6);
  });

  it('leaves Kafka up when the job fails, says so, and runs it again when it is mended, or resumed from another terminal', async () => {
    const [folder, name] = [projectFolder(), uniqueName('dev')];
    saveJob(folder, { name, between: ': ' });
    const failing = { ...env, ONCEFLOW_RESTART_STRATEGY: 'none' };
    const dev = startDev(folder, ['job.ts', '--create-topics'], failing);
    await dev.untilSaid('runs, for the first time');
    saveJob(folder, {
      name,
      between: ': ',
      more: "let calls = 0; const fail = () => { if (calls++ < 1) throw new Error('not today'); return ''; };",
    });
    writeFileSync(join(folder, 'job.ts'), `${readJob(folder).replace("word + ': '", "word + fail() + ': '")}`);
    await dev.untilSaid('goes on as it is now');
    dev.type('hello\n');
    await dev.untilSaid(/the job is failed: .*not today.*\nnothing runs, and Kafka stays up/);
    expect(dev.shown()).toEqual([]);

    const shell = /in another terminal: \. (\S+);/.exec(dev.said())?.[1] ?? '';
    const resumed = await onceflow(environmentIn(shell), 'resume');
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    await dev.untilSaid(/not today(.*\n)*job \S+ runs, from epoch/);
    await dev.untilSaid(/(the job is failed: (.*\n)*){2}/);
    saveJob(folder, { name, between: ' = ' });
    await dev.untilShown(['hello = 1']);
    dev.child.kill('SIGINT');
    expect(await dev.ended).toBe(0);
  });

  it('with --kill-every kills the processes of the job, and what it commits is exact all the same', async () => {
    const [folder, name] = [projectFolder(), uniqueName('dev')];
    saveJob(folder, { name, between: ': ' });
    const dev = startDev(folder, ['job.ts', '--create-topics', '--once', '--kill-every', '1'], env);
    let lines = 0;
    const typing = setInterval(() => {
      dev.type('a b\n');
      lines++;
    }, 50);
    await dev.untilSaid(/(kill -9 \S+ \(process \d+\)\n(.*\n)*){3}/);
    clearInterval(typing);
    dev.child.stdin?.end();
    expect(await dev.ended, dev.said()).toBe(0);
    const counts = (word: string) => Array.from({ length: lines }, (_, at) => `${word}: ${at + 1}`);
    expect(dev.shown().toSorted()).toEqual([...counts('a'), ...counts('b')].toSorted());
  });

  it('with --once puts what is piped in through the job, shows what it committed, and nothing else, and ends; the next one goes on from there, or forgets it', async () => {
    const [folder, name] = [projectFolder(), uniqueName('dev')];
    saveJob(folder, { name, between: ': ' });
    const lines = Array.from({ length: 500 }, (_, n) => `a b${n % 7}`).join('\n');
    const first = startDev(folder, ['job.ts', '--create-topics', '--once'], env);
    first.type(lines);
    first.child.stdin?.end();
    expect(await first.ended, first.said()).toBe(0);
    expect(first.shown()).toHaveLength(1_000);
    expect(first.shown()).toContain('a: 500');

    const second = startDev(folder, ['job.ts', '--once'], env);
    second.child.stdin?.end('a\n');
    expect(await second.ended, second.said()).toBe(0);
    expect(second.shown()).toEqual(['a: 501']);

    const third = startDev(folder, ['job.ts', '--once', '--fresh'], env);
    third.child.stdin?.end('a\n');
    expect(await third.ended, third.said()).toBe(0);
    expect(third.shown()).toEqual(['a: 1']);
  });

  it('makes no topics unless it is asked to: it names those that are missing, and ends with exit code 2', async () => {
    const [folder, name] = [projectFolder(), uniqueName('dev')];
    saveJob(folder, { name, between: ': ' });
    const dev = startDev(folder, ['job.ts'], env);
    expect(await dev.ended).toBe(2);
    expect(dev.said()).toMatch(
      new RegExp(`^onceflow: topics ${name}-in, ${name}-out are not there: make them, or have it done with --create-topics [^\\n]*\\n$`),
    );
  });
});

function readJob(folder: string): string {
  return readFileSync(join(folder, 'job.ts'), 'utf8');
}

/** What a shell would have read of the file. */
function environmentIn(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').matchAll(/^export (\w+)='(.*)'$/gm);
  return { ...Object.fromEntries([...lines].map(([, name, value]) => [name, value])), PATH: process.env['PATH'] ?? '' };
}
