import { describe, expect, it } from 'vitest';
import { kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { parseStartingOffsets, type StartingOffsets } from '../../../lib/config/starting-offsets.ts';

const WRONG = [
  '',
  'Earliest',
  'earliest:',
  'group:',
  'group:none',
  'timestamp',
  'timestamp:',
  'timestamp:-5',
  'timestamp:yesterday',
  'timestamp:2026-01-01T08:00:00',
  'timestamp:2026-13-01',
  'offsets:',
  'offsets:0',
  'offsets:0=-1',
  'offsets:0=1,0=2',
  'offsets:*=earliest',
  'offsets:0=1,*=5',
  'offsets:0=1,*=earliest,*=latest',
  'offsets:0=earliest',
];

describe('ONCEFLOW_STARTING_OFFSETS', () => {
  it.each([
    ['earliest', { at: 'earliest' }],
    ['latest', { at: 'latest' }],
    ['group', { at: 'group', otherwise: 'refuse' }],
    ['group:earliest', { at: 'group', otherwise: 'earliest' }],
    ['group:latest', { at: 'group', otherwise: 'latest' }],
    ['timestamp:1767225600000', { at: 'timestamp', timestampMs: 1_767_225_600_000 }],
    ['timestamp:2026-01-01', { at: 'timestamp', timestampMs: 1_767_225_600_000 }],
    ['timestamp:2026-01-01T08:30:00.5+08:30', { at: 'timestamp', timestampMs: 1_767_225_600_500 }],
    ['timestamp:2026-01-01T00:00Z', { at: 'timestamp', timestampMs: 1_767_225_600_000 }],
  ])('%s is understood', (text, point) => expect(parseStartingOffsets(text)).toEqual(point));

  it('names offsets by partition, and where the others begin', () => {
    expect(parseStartingOffsets('offsets:0=42,1=17')).toEqual({
      at: 'offsets',
      offsets: new Map([
        [0, 42],
        [1, 17],
      ]),
      otherwise: 'refuse',
    });
    expect(parseStartingOffsets('offsets:3=0, *=latest')).toEqual({ at: 'offsets', offsets: new Map([[3, 0]]), otherwise: 'latest' });
  });

  it.each(WRONG)('"%s" is refused, in the environment and in the job', (text) => {
    expect(parseStartingOffsets(text)).toBeUndefined();
    expect(() => kafkaSource({ topic: 't', value: utf8, startingOffsets: text as StartingOffsets })).toThrow(
      /kafkaSource of topic t: startingOffsets is .* and must be earliest, latest, group/,
    );
    if (text === '') return;
    const required = { ONCEFLOW_JOB: 'j', ONCEFLOW_BROKERS: 'b:1', ONCEFLOW_BLOBS: 'file:///x' };
    expect(() => readConfig({ ...required, ONCEFLOW_STARTING_OFFSETS: text })).toThrow(/ONCEFLOW_STARTING_OFFSETS is .*must be earliest/);
  });
});
