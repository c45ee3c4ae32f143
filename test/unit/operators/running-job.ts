import type { JobDefinition } from '../../../lib/graph/job.ts';
import type { EpochOutput } from '../../../lib/operators/epoch-output.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { OperatorStage, SourceStage } from '../../../lib/plan/plan.ts';
import type { Time } from '../../../lib/protocol/event-time.ts';
import { decodeStagedFiles } from '../../../lib/sinks/files/staged-files.ts';
import { timeAfter } from '../../../lib/time/watermarks.ts';
import type { Written } from '../../support/nexmark/check.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob } from './runtimes.ts';

export interface GivenEpoch {
  /** By partition. */
  readonly lines: readonly (readonly string[])[];
  readonly processingMs: number;
}

/** What a stage is given through one of its inputs. */
interface Segment {
  readonly input: number;
  readonly bytes: Buffer;
}

interface Ran {
  /** To its sink `write-results`, of each partition in its order. */
  readonly written: readonly Written[];
  /** How many keys have state at the end. */
  readonly keys: number;
}

/**
 * Runs these epochs of a job of one source in so many subtasks of each stage. Every epoch but the first begins with what is in the
 * snapshots before it.
 */
export function ran(job: JobDefinition, epochs: readonly GivenEpoch[], parallelism: number): Ran {
  const written: Written[] = [];
  let keys = 0;
  const { plan } = compiled(job);
  const [source] = plan.stages.filter((stage): stage is SourceStage => stage.kind === 'source') as [SourceStage];
  const operators = plan.stages.filter((stage): stage is OperatorStage => stage.kind === 'operator');
  const writesFiles = plan.stages.some((stage) => stage.kind === 'sink' && stage.id === 'write-results' && stage.to.kind === 'files');
  const context = stageContext({ parallelism });
  const subtasks = Array.from({ length: parallelism }, (_, subtask) => subtask);
  let snapshots: ReadonlyMap<string, readonly Buffer[]> = new Map();
  let time: Time | undefined;

  epochs.forEach(({ lines, processingMs }, epoch) => {
    const segments = new Map(operators.map(({ id }) => [id, subtasks.map((): Segment[] => [])]));
    const deliver = (output: EpochOutput) => {
      for (const { id, to, input } of plan.edges)
        output.edges.get(id)?.parts.forEach((parts, subtask) => {
          if (parts !== undefined) segments.get(to)?.[subtask]?.push({ input, bytes: throughBlob(parts) });
        });
      if (writesFiles) written.push(...rowsInFiles(output));
      else
        for (const [partition, records] of stagedRecords(output, 'write-results'))
          written.push(...records.map(({ key, value }) => ({ partition, key, value })));
    };
    const seen = subtasks.flatMap((subtask) => {
      const runtime = createSourceRuntime(compiled(job), source.id, context);
      runtime.begin(undefined, undefined, { processingMs });
      lines.forEach((ofPartition, partition) => {
        if (partition % parallelism !== subtask || ofPartition.length === 0) return;
        const records = recordSet(ofPartition.map((value) => ({ value })));
        runtime.consume(source.topic, partition, records, { from: 0, to: ofPartition.length, aborted: [] });
      });
      const output = runtime.finish();
      deliver(output);
      return output.seen ?? [];
    });
    const before = time;
    const more = epochs.slice(epoch + 1);
    const hasMore = (_: SourceStage, partition: number) => more.some((later) => (later.lines[partition]?.length ?? 0) > 0);
    time = timeAfter(before, { processingMs, partitions: () => lines.length, seen: () => seen, hasMore }, plan);
    const taken = new Map<string, Buffer[]>();
    keys = 0;
    for (const { id, usesTime } of operators) {
      const stageTime = { beforeMs: before?.stages[id], afterMs: time.stages[id], processingMs };
      for (const subtask of subtasks) {
        const runtime = createOperatorRuntime(compiled(job), id, context, subtask);
        for (const [uid, state] of runtime.states) state.load([...(snapshots.get(uid) ?? [])]);
        runtime.begin(usesTime === true ? stageTime : undefined);
        const inOrder = (segments.get(id)?.[subtask] ?? []).toSorted((one, other) => one.input - other.input);
        for (const { input, bytes } of inOrder) runtime.consume(bytes, id, input);
        deliver(runtime.finish());
        for (const [uid, state] of runtime.states) {
          keys += state.size;
          taken.set(uid, [...(taken.get(uid) ?? []), Buffer.concat(state.takeBase())]);
        }
      }
    }
    snapshots = taken;
  });
  return { written, keys };
}

/** Rows of JSON lines, each with the folder that it is in. */
function rowsInFiles(output: EpochOutput): Written[] {
  const [parts] = partsTo(output, 'write-results');
  const { sections } = parts === undefined ? { sections: [] } : decodeStagedFiles(Buffer.concat(parts), 'test');
  return sections.flatMap(({ folder, content }) =>
    content
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => ({ partition: 0, key: undefined, value: JSON.stringify({ ...(JSON.parse(line) as object), folder }) })),
  );
}
