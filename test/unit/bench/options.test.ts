import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FLAGS, readOptions } from '../../../bench/harness/options.ts';

function optionsOf(args: string[]) {
  const { values, positionals } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  return readOptions(values, positionals);
}

describe('the flags of a benchmark', () => {
  it('measure by default everything that takes no more than a few minutes', () => {
    expect(optionsOf([])).toMatchObject({ modes: ['drain', 'latency', 'recovery', 'trickle'], runs: 1, peers: undefined });
  });

  it('are refused with what they take', () => {
    expect(() => optionsOf(['drian'])).toThrow('a mode is "drian": it must be one of drain, latency');
    expect(() => optionsOf(['--runs', '0'])).toThrow('--runs takes a whole number above 0, not "0"');
    expect(() => optionsOf(['--blobs', 'disk'])).toThrow('--blobs is "disk": it must be one of file, s3');
    expect(() => optionsOf(['--keys', '10,5'])).toThrow('--keys takes two numbers, the smaller first, not "10,5"');
  });
});
