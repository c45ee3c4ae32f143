import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../lib/config/fault.ts';
import { readConfig } from '../../../lib/config/read-config.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { parseManifest } from '../../../lib/protocol/manifest.ts';
import { PROTOCOL_VERSION, requestFault } from '../../../lib/protocol/requests.ts';

const who = { transactionalId: 't', producerId: '7', producerEpoch: 3 };
const token = { ...who, written: [{ topic: 'out', partition: 0, first: 3, last: 9 }] };
const committable = { sink: 's', connector: 'kafka', subtask: 0, epoch: 5, token };
const snapshot = {
  id: 'a',
  keyGroups: { first: 0, last: 127 },
  base: { at: 'store' as const, name: 'n', bytes: 1 },
  deltas: [{ at: 'inline' as const, base64: 'AA==' }],
};
const manifest: Manifest = {
  version: 3,
  job: 'job',
  incarnation: 'inc',
  epoch: 5,
  decisionId: 'd5',
  parentDecisionId: 'd4',
  offsets: { lines: { in: [1, 2, 3] } },
  state: { count: [snapshot] },
  outputs: { s: [[{ at: 'store', name: 'o', bytes: 9 }]] },
  committables: [committable],
};
const common = {
  build: 'b',
  job: 'job',
  incarnation: 'inc',
  epoch: 5,
  decisionId: 'd5',
  stage: 's',
  subtask: 0,
  timeoutMs: 9,
  parallelism: { s: 1 },
  version: PROTOCOL_VERSION,
  sinkFacts: { s: { partitions: 3 } },
};
const permit = { epoch: 5, decisionId: 'd5', generation: 1, decided: true };
const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
const requests = [
  {
    ask: 'read',
    ...common,
    ranges: [{ topic: 'in', partition: 0, from: 1, bound: 2 }],
    maxBytes: 1,
    maxDurationMs: 1,
    maxParallelism: 128,
    meeting,
  },
  {
    ask: 'process',
    ...common,
    keyGroups: { first: 0, last: 1 },
    maxParallelism: 128,
    meeting,
    inputs: [],
    snapshots: { count: [snapshot] },
  },
  { ask: 'prepare', ...common, connector: 'kafka', terms: { topic: 'out' }, staged: [{ at: 'inline', base64: 'AA==' }] },
  { ask: 'commit', ...common, connector: 'kafka', permit, committables: [committable], terms: {}, isOld: false },
  { ask: 'resolve', ...common, connector: 'kafka', permit, committable, terms: {}, staged: [], onMissingEvidence: 'stop' },
  { ask: 'send', ...common, connector: 'write-ahead', permit, committable, staged: [] },
  { ask: 'abort', ...common, connector: 'kafka', committables: [committable] },
];
const everyAsk = requests.map(({ ask }) => ask);

/** Every way to a value inside `value`, as keys. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

/** Values that are of no type that any field has. */
const alien = fc.constantFrom<unknown>(null, -1.5, '', { alien: null }, [null], Number.NaN);

describe('a manifest', () => {
  test('that was written is read back', () => {
    expect(parseManifest(JSON.parse(JSON.stringify(manifest)), 'row')).toEqual(manifest);
    expect(parseManifest({ ...manifest, parentDecisionId: undefined }, 'row').epoch).toBe(5);
  });

  test('that a build before evidence wrote is read: its transactions have their commit markers', () => {
    const before = {
      ...manifest,
      version: 1,
      committables: [{ sink: 's', subtask: 0, epoch: 5, ...who, topic: 'out' }],
      sinkStartedAtMs: 1_000,
      previousUseAtMs: { t: 500 },
    };
    expect(parseManifest(JSON.parse(JSON.stringify(before)), 'row')).toEqual({
      ...manifest,
      committables: [
        { ...committable, token: { ...who, written: [], marker: { topic: 'out', startedAtMs: 1_000, previousUseAtMs: 500 } } },
      ],
    });
  });

  test('that a build before connectors wrote is read: what it prepared is of Kafka, what it sent later is to be sent', () => {
    const before = { ...manifest, version: 2, delivery: 'exactly-once', committables: [{ sink: 's', subtask: 0, epoch: 5, ...token }] };
    expect(parseManifest(JSON.parse(JSON.stringify(before)), 'row')).toEqual(manifest);
    const outputs = { s: [[], [{ at: 'store', name: 'o', bytes: 9 }]] };
    const sent = parseManifest({ ...before, outputs, delivery: 'at-least-once', committables: [] }, 'row');
    expect(sent.committables).toEqual([{ sink: 's', connector: 'write-ahead', subtask: 1, epoch: 5, token: {} }]);
    expect(() => parseManifest({ ...before, committables: [{ ...token, sink: 's' }] }, 'row')).toThrow(
      /^row is .*committables\.0\.subtask/,
    );
  });

  test('of arbitrary JSON is refused by name, never used', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseManifest(value, 'blob x')).toThrow(MalformedError);
        expect(() => parseManifest(value, 'blob x')).toThrow(/^blob x is no manifest of version 1, 2 or 3: /);
      }),
    );
  });

  test('in which one field was replaced is refused with the place of the field', () => {
    // A token is looked into by its connector alone.
    const fields = pathsOf(manifest).filter((path) => path.length > 0 && !path.includes('token'));
    fc.assert(
      fc.property(fc.constantFrom(...fields), (path) => {
        const damaged = replaced(manifest, path, { alien: [null] });
        expect(() => parseManifest(damaged, 'row')).toThrow(new RegExp(`^row is no manifest of version 1, 2 or 3: ${path[0]}`));
      }),
      { numRuns: 500 },
    );
  });
});

describe('the payload of an invocation', () => {
  test('that the coordinator sends is accepted, by the function that it is for', () => {
    for (const request of requests) {
      expect(requestFault(request, [request.ask])).toBeUndefined();
      expect(requestFault(request, ['another'])).toMatch(/^ask: this function answers another/);
    }
  });

  test('of arbitrary JSON is refused with a reason', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(requestFault(value, everyAsk)).toEqual(expect.any(String));
      }),
    );
  });

  test('in which one field is missing or of another type is refused', () => {
    for (const request of requests) {
      for (const key of Object.keys(request)) {
        const { [key as keyof typeof request]: _, ...without } = request;
        expect(requestFault(without, everyAsk), `${request.ask} without ${key}`).toEqual(expect.any(String));
      }
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(request)), alien, (key, value) => {
          // What connectors tell each other is some object to everybody else.
          if (key === 'terms' && typeof value === 'object' && value !== null && !Array.isArray(value)) return;
          expect(requestFault({ ...request, [key]: value }, everyAsk), `${request.ask} with ${key}`).toEqual(expect.any(String));
        }),
      );
    }
  });
});

describe('the environment', () => {
  test('whatever it holds is read, or refused as a whole with the variables named', () => {
    const known = [
      'ONCEFLOW_JOB',
      'ONCEFLOW_BROKERS',
      'ONCEFLOW_BLOBS',
      'ONCEFLOW_CHECKPOINT_INTERVAL_MS',
      'ONCEFLOW_TOPICS',
      'ONCEFLOW_X',
    ];
    const values = fc.oneof(fc.string(), fc.constantFrom('1', '-1', '1e9', '0x10', 'file:///a', 's3://b', 'a:1', 'a=b', '../..', '\0'));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...known), values), (env) => {
        try {
          expect(readConfig(env).brokers.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          for (const { option } of (error as ConfigError).faults) expect((error as ConfigError).message).toContain(option);
        }
      }),
      { numRuns: 500 },
    );
  });
});
