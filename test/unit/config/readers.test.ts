import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Config, type ConfigOf, configOf, rows } from '../../../lib/config/parameters.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import type { JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { restartStrategyOf } from '../../../lib/epoch/failure/restart.ts';
import type { SinkSettings } from '../../../lib/sinks/connectors.ts';

const config = readConfig({ ONCEFLOW_JOB: './jobs/word-count.ts', ONCEFLOW_BROKERS: 'b:9092', ONCEFLOW_BLOBS: 'file:///var/blobs' });

describe('who reads a parameter', () => {
  it('has it in its own part of the configuration, and nothing else', () => {
    expect(configOf('source', config)).toEqual({ inlineBlobBytes: 16_384, maxUnpackedBatchBytes: 67_108_864 });
    expect(Object.keys(configOf('bench', config))).toEqual(['benchDir']);
    expectTypeOf<keyof ConfigOf<'source'>>().toEqualTypeOf<'inlineBlobBytes' | 'maxUnpackedBatchBytes'>();
  });

  it('of the coordinator are its settings, what they are made of, and what a tick asks before: no row names it in vain', () => {
    type MadeInto =
      | 'groupId'
      | 'startFrom'
      | 'startDrop'
      | 'startSourceOffsets'
      | 'onWrittenAgain'
      | keyof Parameters<typeof restartStrategyOf>[0];
    expectTypeOf<
      Exclude<keyof ConfigOf<'coordinator'>, keyof JobSettings | keyof SinkSettings | MadeInto | 'standby'>
    >().toEqualTypeOf<never>();
    expectTypeOf<Exclude<keyof JobSettings & keyof Config, keyof ConfigOf<'coordinator'>>>().toEqualTypeOf<'job' | 'parallelism'>();
  });

  it('is somebody, of every row', () => {
    expect(rows.filter(([, { readBy }]) => readBy.length === 0).map(([name]) => name)).toEqual([]);
  });
});
