import type { ProcessNode } from '../../../lib/graph/job.ts';
import { shapeOf } from '../sim-job.ts';
import type { InputRecord, Written } from './interpreter/epoch.ts';
import { Interpreter } from './interpreter/interpreter.ts';
import { keyGroupOf } from './key-groups.ts';
import type { Life } from './life.ts';
import { keySerdeOf } from './outcome.ts';
import type { Scene } from './scene.ts';
import { shown } from './texts.ts';

/**
 * What operators in order of time have made of an incarnation's input, whatever its epochs were, is what they make of all of it in one
 * (I11). Only what came late hangs on where epochs ended: it is left out.
 */
export function checkOrder(scene: Scene): void {
  const { definition } = shapeOf(scene.job);
  const keyed = definition.nodes.filter((node): node is ProcessNode => node.kind === 'process');
  if (keyed.length === 0 || keyed.some(({ inTimeOrder }) => !inTimeOrder)) return;
  for (const life of scene.lives) checkLife(scene, life);
}

function checkLife(scene: Scene, { incarnation, before, decided: own, input, late, times }: Life): void {
  const decided = [...before, ...own];
  const { definition, sinks } = shapeOf(scene.job);
  const processingMs = decided.at(-1)?.manifest.time?.processingMs;
  // Records of a topic that was made anew have the places of others.
  if (processingMs === undefined || [...input.values()].some(holdsPlacesTwice)) return;
  const atOnce = new Interpreter(definition).run({
    // In another order of arrival than any that there was.
    input: new Map([...input].map(([uid, records]) => [uid, records.toReversed()])),
    subtaskOf: () => 0,
    keyGroupOf: (key) => keyGroupOf(key, scene.maxParallelism),
    keySerdeOf: (uid) => keySerdeOf(scene, uid),
    timeOf: (uid) => ({ beforeMs: undefined, afterMs: times.of(uid), processingMs }),
    isLate: (uid, origin) => late.has(`${uid} ${origin}`),
  });
  for (const [uid] of sinks) {
    if (uid.endsWith('late')) continue;
    const byKey = Map.groupBy(
      decided.flatMap(({ written }) => written.get(uid) ?? []),
      streamOf,
    );
    const expected = Map.groupBy(atOnce.get(uid) ?? [], streamOf);
    for (const key of new Set([...byKey.keys(), ...expected.keys()])) {
      const [is, should] = [byKey, expected].map((of) => (of.get(key) ?? []).map(({ text }) => text));
      const at = should?.findIndex((text, index) => text !== is?.[index]) ?? -1;
      if (at >= 0 || is?.length !== should?.length)
        scene.fail(
          'I11',
          `${uid} (incarnation ${incarnation}): of key ${shown(Buffer.from(key, 'latin1'))} the record ${at} is ${is?.[at]}, and of the input in one epoch it is ${should?.[at]}`,
        );
    }
  }
}

function holdsPlacesTwice(records: readonly InputRecord[]): boolean {
  return new Set(records.map(({ partition, offset }) => `${partition} ${offset}`)).size < records.length;
}

function streamOf({ belongs }: Written): string {
  return belongs.by === 'key' ? (belongs.stream ?? '') : '';
}
