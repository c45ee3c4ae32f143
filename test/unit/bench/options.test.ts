import { describe, expect, it } from 'vitest';
import { readOptions } from '../../../bench/harness/options.ts';

describe('the flags of a benchmark', () => {
  it('measure by default everything that takes no more than a few minutes', () => {
    expect(readOptions([])).toMatchObject({ modes: ['drain', 'latency', 'recovery', 'trickle'], runs: 1, peers: undefined });
  });

  it('are refused with what they take', () => {
    expect(() => readOptions(['drian'])).toThrow('a mode is "drian": it must be one of drain, latency');
    expect(() => readOptions(['--runs', '0'])).toThrow('--runs takes a whole number above 0, not "0"');
    expect(() => readOptions(['--blobs', 'disk'])).toThrow('--blobs is "disk": it must be one of file, s3');
    expect(() => readOptions(['--keys', '10,5'])).toThrow('--keys takes two numbers, the smaller first, not "10,5"');
  });
});
