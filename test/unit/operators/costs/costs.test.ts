import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Costs } from './measure.ts';

/*
 * The record path is a loop over buffers: what it makes for each word is counted here, where a clock would need a quiet
 * machine. The counts are the same in each run (V8 works on one thread). They hold the strings that the job itself makes:
 * the words of a line, and `word:::count`. Bounds are about a tenth above what was counted when they were set.
 */

const MEASURE = fileURLToPath(new URL('measure.ts', import.meta.url));
const FLAGS = ['--expose-gc', '--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64'];

let costs: Costs;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, MEASURE]);
  costs = JSON.parse(stdout) as Costs;
}, 120_000);

describe('a word of the word count', () => {
  it('makes at most 64 bytes of objects in the source: the string, and little else', () => {
    expect(costs.sourceHeapBytesPerWord).toBeGreaterThan(0);
    expect(costs.sourceHeapBytesPerWord).toBeLessThan(64);
  });

  it('makes at most 150 bytes of objects in the operator, the output string included', () => {
    expect(costs.operatorHeapBytesPerWord).toBeGreaterThan(0);
    expect(costs.operatorHeapBytesPerWord).toBeLessThan(150);
  });

  it('makes at most 10 bytes of buffers: they are used again from epoch to epoch', () => {
    expect(costs.bufferBytesPerWord).toBeLessThan(10);
  });

  it('takes at most 4.5 bytes in the exchange, keys included', () => {
    expect(costs.exchangeBytesPerWord).toBeGreaterThan(1);
    expect(costs.exchangeBytesPerWord).toBeLessThan(4.5);
  });

  it('takes at most 21 bytes in the staged output, of which its text is 13', () => {
    expect(costs.stagedBytesPerWord).toBeGreaterThan(13);
    expect(costs.stagedBytesPerWord).toBeLessThan(21);
  });
});

describe('a changed key', () => {
  it('makes at most 140 bytes of objects for a snapshot', () => {
    expect(costs.snapshotHeapBytesPerKey).toBeLessThan(140);
  });

  it('takes at most 17 bytes in a delta', () => {
    expect(costs.deltaBytesPerKey).toBeGreaterThan(8);
    expect(costs.deltaBytesPerKey).toBeLessThan(17);
  });
});
