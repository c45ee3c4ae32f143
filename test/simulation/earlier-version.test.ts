import { readFileSync } from 'node:fs';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import wordCount from '../../jobs/word-count.ts';
import { decodeEpoch, decodeJob } from '../../lib/aws/dynamo-rows.ts';
import { checkCompatible, fingerprint } from '../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../lib/graph/graph.ts';
import { type Manifest, parseManifest } from '../../lib/protocol/manifest.ts';
import { kafkaCommittable } from '../../lib/sinks/kafka/committable.ts';
import { readCommitted } from './checker/reader.ts';
import { JOB, type SimJob } from './sim-job.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

/*
 * What builds before this one left behind (test/fixtures/before-house): files of version 1 are of the last build whose manifests
 * have a commit marker, files of version 2 of the last one whose stages knew each other by name and not by edge.
 */

interface Left {
  readonly job: Record<string, AttributeValue>;
  readonly epochs: readonly Record<string, AttributeValue>[];
  readonly blobs: Readonly<Record<string, string>>;
  /** By partition, the lines that were read. */
  readonly input: Readonly<Record<string, readonly string[]>>;
}

const leftBy = (name: string, folder = 'before-house'): Left =>
  JSON.parse(readFileSync(`test/fixtures/${folder}/${name}.json`, 'utf8')) as Left;

function newestManifest({ epochs }: Left): Manifest {
  const text = epochs.at(-1)?.['manifest']?.S ?? '';
  return parseManifest(JSON.parse(text), 'the fixture');
}

const INPUT = 'flink_kafka';
const OUTPUT = 'flink_kafka2';

/** jobs/word-count.ts, under the simulation's name. */
const job: SimJob = {
  name: 'word-count-of-an-earlier-version',
  define: (_build, startingOffsets) => ({
    name: JOB,
    nodes: wordCount.nodes.map((node) => (node.kind === 'source' ? { ...node, startingOffsets } : node)),
  }),
};

/** A world in which that job was: its table, its bucket and its input. Nobody checks it: what came before is not known. */
function worldOf(left: Left, operators: number, settings: WorldOptions['settings'] = {}): World {
  const world = new World({
    seed: 1,
    job,
    inputPartitions: 2,
    outputPartitions: 2,
    input: [],
    startingOffsets: 'earliest',
    settings,
    inlineBlobBytes: 100,
    parallelism: () => ({ 'read-lines': 2, 'count-words': operators, 'write-counts': 2 }),
    oneAtATime: true,
    clockSkewMs: 0,
    markerDelayMs: [1, 10],
    maxProducerEpoch: 32_767,
    tokenLifetimeMs: 600_000,
    fetchBytes: 1_000_000,
    faults: () => undefined,
    faultsUntilMs: 0,
    ending: 'stop',
    history: false,
  });
  const nothing = () => {};
  world.table.observer = {
    decided: nothing,
    committed: nothing,
    written: nothing,
    forgotten: nothing,
    epochsDeleted: nothing,
    begun: nothing,
    pinned: nothing,
    sentAgain: nothing,
  };
  const row = decodeJob(left.job);
  const epochs = left.epochs.map(decodeEpoch);
  const first = newestManifest({ ...left, epochs: left.epochs.slice(0, 1) });
  world.table.create({ ...row, lastCompleted: { epoch: first.epoch - 1, decisionId: first.parentDecisionId ?? '' }, lastCommitted: 0 });
  for (const [index, { epoch, decisionId, summary }] of epochs.entries()) {
    const manifest = JSON.parse(left.epochs[index]?.['manifest']?.S ?? '') as Manifest;
    const { incarnation, generation } = row;
    const held = { job: JOB, incarnation, generation, epoch, decisionId, parentDecisionId: manifest.parentDecisionId };
    const decision = {
      ...held,
      leaseExpiresAtMs: 0,
      lastCommitted: row.lastCommitted,
      manifest: { at: 'row', manifest },
      summary,
    } as const;
    expect(world.table.decide(decision)).toBe('decided');
  }
  if (row.sentAgain !== undefined) {
    const { generation, incarnation, sentAgain } = row;
    expect(world.table.recordSentAgain({ job: JOB, generation, incarnation }, sentAgain, undefined)).toBe('written');
  }
  for (const [name, base64] of Object.entries(left.blobs)) world.bucket.put(name, Buffer.from(base64, 'base64'));
  for (const [partition, lines] of Object.entries(left.input)) world.broker.appendPlain(INPUT, Number(partition), lines);
  return world;
}

function committed(world: World): string[] {
  const all = Number.POSITIVE_INFINITY;
  return (world.broker.topics.get(OUTPUT) ?? []).flatMap((partition) => readCommitted(partition, 0, all).map(({ value }) => value));
}

describe.each(['at-rest-1', 'at-rest-2', 'decided-1', 'decided-2'])('what an earlier version left: %s', (name) => {
  const left = leftBy(name);

  it('is read: the row of the job, the rows of its epochs, and the manifests in them', () => {
    const row = decodeJob(left.job);
    const epochs = left.epochs.map(decodeEpoch);
    const manifest = newestManifest(left);
    expect(epochs.at(-1)).toMatchObject({ epoch: 6, decisionId: row.lastCompleted?.decisionId, manifest: { at: 'row', manifest } });
    expect(row).toMatchObject({
      lastCompleted: { epoch: 6 },
      lastCommitted: name.startsWith('decided') ? 5 : 6,
      pool: { kafka: { 'write-counts': { subtasks: 2, places: name.endsWith('1') ? [] : [OUTPUT] } } },
    });
    expect(manifest).toMatchObject({ version: 3, epoch: 6, offsets: { 'read-lines': { [INPUT]: [5, 3] } } });
    const evidence = manifest.committables
      .map(kafkaCommittable)
      .map(({ subtask, written, marker }) => ({ subtask, written: written.length, at: marker?.topic }));
    const [of0, of1] = [0, 1].map((subtask) => ({ subtask, written: 0, at: OUTPUT }));
    expect(evidence).toEqual(name.endsWith('1') ? [of0, of1] : [{ subtask: 1, written: 1, at: undefined }]);
  });

  it('has a fingerprint, of version 1, that says the same as that of the job now', () => {
    const { fingerprint: before } = decodeJob(left.job);
    expect(JSON.parse(before)).toMatchObject({ version: 1 });
    expect(checkCompatible(before, fingerprint(describeGraph(wordCount)))).toEqual({ outcome: 'same' });
  });
});

describe.each([
  ['at-rest-1', 2],
  ['at-rest-1', 3],
  ['at-rest-2', 2],
  ['at-rest-2', 1],
] as const)('the job goes on from what an earlier version left: %s, with %d operator subtasks', (name, operators) => {
  it('exactly: every count, of bases and deltas, and nothing that was written before', async () => {
    const left = leftBy(name);
    const world = worldOf(left, operators);
    const before = new Map<string, number>();
    for (const word of Object.values(left.input).flat().join(' ').split(' ')) before.set(word, (before.get(word) ?? 0) + 1);
    const known = [...before.keys()];
    world.broker.appendPlain(INPUT, 0, [known.join(' '), 'never-before ant']);
    const expected = [
      ...known.map((word) => `${word}:::${(before.get(word) ?? 0) + 1}`),
      'never-before:::1',
      `ant:::${(before.get('ant') ?? 0) + 2}`,
    ];
    world.startCoordinator();
    const done = () => committed(world).length >= expected.length || world.ends.length > 0;
    await world.scheduler.run(done, { untilMs: 60_000, events: 20_000 });
    await world.scheduler.run(() => false, { untilMs: world.scheduler.nowMs + 3_000, events: 20_000 });
    expect(world.ends).toEqual([]);
    expect(committed(world).sort()).toEqual([...expected].sort());
    for (const { handOver } of world.coordinators) handOver.abort();
  });
});

/** The broker knows nothing of its transactions any more: what is decided is there only if it is sent from the staged output. */
describe.each(['decided', 'decided-at-least-once', 'sent-again'])('an epoch that the version before connectors decided: %s', (name) => {
  it('is committed from its staged output, and the job goes on from it', async () => {
    const world = worldOf(leftBy(name, 'before-connectors'), 2, { onMissingEvidence: 'lost' });
    world.startCoordinator();
    const run = async (values: number) => {
      const done = () => committed(world).length >= values || world.ends.length > 0;
      await world.scheduler.run(done, { untilMs: world.scheduler.nowMs + 120_000, events: 40_000 });
      await world.scheduler.run(() => false, { untilMs: world.scheduler.nowMs + 3_000, events: 20_000 });
    };
    await run(2);
    expect(world.ends).toEqual([]);
    expect(committed(world).sort()).toEqual(['ant:::5', 'gnu:::1']);
    world.broker.appendPlain(INPUT, 0, ['gnu new']);
    await run(4);
    expect(world.ends).toEqual([]);
    expect(committed(world).sort()).toEqual(['ant:::5', 'gnu:::1', 'gnu:::2', 'new:::1']);
    for (const { handOver } of world.coordinators) handOver.abort();
  });
});

/** Evidence is asked for in the log of the partitions that it names. */
it.each([
  ['decided', 10, 18],
  ['sent-again', 12, 20],
] as const)('what the version before connectors %s is judged by its newest evidence', async (name, inFirst, inSecond) => {
  const world = worldOf(leftBy(name, 'before-connectors'), 2);
  world.startCoordinator();
  await world.scheduler.run(() => world.ends.length > 0, { untilMs: 120_000, events: 40_000 });
  const [end] = world.ends;
  expect(end?.message).toContain(`partition 0, offsets ${inFirst} to ${inFirst}`);
  expect(end?.message).toContain(`partition 1, offsets ${inSecond} to ${inSecond}`);
});
