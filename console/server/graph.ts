import { rangeOfStage } from '../../lib/config/subtasks.ts';
import type { Stage } from '../../lib/plan/plan.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import { sinkWritesTo } from '../../lib/sinks/kinds.ts';
import type { ConsoleDeps } from './deps.ts';

/** The stages of a job and what flows between them, for a drawing. */
export interface JobGraphShown {
  readonly stages: readonly ShownStage[];
  readonly edges: readonly ShownEdge[];
  /** Why edges, or more, are missing. Null: nothing is. */
  readonly incompleteBecause: string | null;
}

export interface ShownStage {
  readonly id: string;
  readonly kind: Stage['kind'];
  /** What it reads, keeps or writes, in a line each. */
  readonly says: readonly string[];
  readonly subtasks: number | null;
  readonly least: number | null;
  readonly most: number | null;
}

export interface ShownEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly how: 'key' | 'broadcast' | 'sink';
  readonly tag: string | null;
}

/** From the job's module where there is one, else from what the table tells: that knows the stages, and not what lies between them. */
export function graphOf(module: ConsoleDeps['module'], row: JobRow, last: Manifest | undefined): JobGraphShown {
  if (module?.is !== 'loaded') return graphOfRow(row, last, module);
  const { plan, parallelism } = module.job;
  return {
    stages: plan.stages.map((stage) => {
      const range = rangeOfStage(parallelism, stage.id);
      return { id: stage.id, kind: stage.kind, says: saysOf(stage), ...range, ...scaleOf(row, stage.id, range.least) };
    }),
    edges: plan.edges.map(({ id, from, to, how, tag = null }) => ({ id, from, to, how, tag })),
    incompleteBecause: null,
  };
}

function scaleOf({ scale }: JobRow, stage: string, otherwise: number | null): Pick<ShownStage, 'subtasks'> {
  const known = scale !== undefined && Object.hasOwn(scale, stage) ? scale[stage] : undefined;
  return { subtasks: known?.subtasks ?? otherwise };
}

function saysOf(stage: Stage): string[] {
  switch (stage.kind) {
    case 'source':
      return [`reads ${stage.topic}`];
    case 'operator':
      return stage.operators.length === 1 && stage.operators[0] === stage.id ? [] : stage.operators.map((uid) => `runs ${uid}`);
    case 'sink':
      return [sinkWritesTo(stage.to)];
  }
}

function graphOfRow(row: JobRow, last: Manifest | undefined, module: ConsoleDeps['module']): JobGraphShown {
  const sources = Object.entries(last?.offsets ?? {});
  const sinks = Object.values(row.pool).flatMap((byUid) => Object.entries(byUid));
  const others = Object.keys(row.scale ?? {}).filter((id) => !sources.some(([uid]) => uid === id) && !sinks.some(([uid]) => uid === id));
  const stages: Omit<ShownStage, 'subtasks' | 'least' | 'most'>[] = [
    ...sources.map(([id, topics]) => ({ id, kind: 'source' as const, says: Object.keys(topics).map((topic) => `reads ${topic}`) })),
    ...others.map((id) => ({ id, kind: 'operator' as const, says: [] })),
    ...sinks.map(([id, { places }]) => ({ id, kind: 'sink' as const, says: places.length === 0 ? [] : [`writes ${places.join(', ')}`] })),
  ];
  const why =
    module?.is === 'broken'
      ? `what flows between the stages is in the job's code, which cannot be loaded: ${module.why}`
      : "what flows between the stages is in the job's code: start the console with ONCEFLOW_JOB (or --job ./src/job.ts) to see it";
  return {
    stages: stages.map((stage) => {
      const known = row.scale !== undefined && Object.hasOwn(row.scale, stage.id) ? row.scale[stage.id] : undefined;
      return { ...stage, subtasks: known?.subtasks ?? null, least: known?.least ?? null, most: known?.most ?? null };
    }),
    edges: [],
    incompleteBecause: why,
  };
}
