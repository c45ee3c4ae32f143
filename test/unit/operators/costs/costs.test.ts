import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Costs } from './measure.ts';
import type { WindowCosts } from './measure-windows.ts';

/*
 * The record path is a loop over buffers: what it makes for each word is counted here, where a clock would need a quiet
 * machine. The counts are the same in each run (V8 works on one thread). They hold the strings that the job itself makes:
 * the words of a line, and `word:::count`. Bounds are about a tenth above what was counted when they were set.
 */

const FLAGS = ['--expose-gc', '--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64'];

async function measured<T>(module: string): Promise<T> {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, path]);
  return JSON.parse(stdout) as T;
}

let costs: Costs;
let windows: { readonly tumbling: WindowCosts; readonly sliding: WindowCosts };

beforeAll(async () => {
  costs = await measured('measure.ts');
  windows = await measured('measure-windows.ts');
});

describe('a record in windows of an hour every minute', () => {
  it('is added once, as in one of a minute, and what is merged for results is a tenth of that', () => {
    const { tumbling, sliding } = windows;
    expect([tumbling.adds, sliding.adds]).toEqual([1, 1]);
    expect(tumbling.merges).toBe(0);
    expect(sliding.merges).toBeGreaterThan(0);
    expect(sliding.merges).toBeLessThan(0.1);
  });

  it('makes at most 1.5 times the objects of one in windows of a minute, which makes at most 53 bytes of them', () => {
    const { tumbling, sliding } = windows;
    expect(tumbling.heapBytes).toBeGreaterThan(0);
    expect(tumbling.heapBytes).toBeLessThan(53);
    expect(sliding.heapBytes / tumbling.heapBytes).toBeLessThan(1.5);
  });
});

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
