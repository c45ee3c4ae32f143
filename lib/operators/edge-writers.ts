import { type Edge, edgesFrom, type PhysicalPlan, type SinkStage } from '../plan/plan.ts';
import type { Push } from '../records/push.ts';
import type { EdgeOutput, StageContext } from './epoch-output.ts';

/** Writes what goes along one edge. */
export interface EdgeWriter {
  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void;
  /** Since `begin`. */
  records(): number;
  finish(): EdgeOutput['parts'];
}

/** The writers of the edges that lead out of a stage: its chains end in them. */
export class EdgeWriters {
  /** What the writers work with besides the job. */
  readonly context: StageContext;
  readonly #plan: PhysicalPlan;
  readonly #stage: string;
  readonly #open = new Map<string, { readonly edge: Edge; readonly writer: EdgeWriter; readonly push: unknown }>();

  constructor(plan: PhysicalPlan, stage: string, context: StageContext) {
    this.context = context;
    this.#plan = plan;
    this.#stage = stage;
  }

  /** What takes the values of the edge that the node is. Made once, also if several chains lead to it. */
  ofNode(node: number, make: (edge: Edge) => { readonly writer: EdgeWriter; readonly push: Push }): Push {
    const edge = edgesFrom(this.#plan, this.#stage).find((each) => each.node === node);
    if (edge === undefined) throw new Error(`the plan of job ${this.#plan.job} has no edge from ${this.#stage} for node ${node}`);
    const { push } = this.#open.get(edge.id) ?? this.#add(edge, make(edge));
    return push as Push;
  }

  /** What takes the values of a side output; undefined: the plan has none of that tag. */
  ofTag<T>(tag: string, make: (sink: SinkStage) => { readonly writer: EdgeWriter; readonly push: T }): T | undefined {
    const edge = edgesFrom(this.#plan, this.#stage).find((each) => each.tag === tag);
    const target = this.#plan.stages.find(({ id }) => id === edge?.to);
    if (edge === undefined || target?.kind !== 'sink') return undefined;
    return this.#add(edge, make(target)).push;
  }

  begin(): void {
    for (const { writer } of this.#open.values()) writer.begin();
  }

  finish(): ReadonlyMap<string, EdgeOutput> {
    return new Map(
      [...this.#open.values()].map(({ edge, writer }) => {
        const parts = writer.finish();
        return [edge.id, { how: edge.how, parts, records: writer.records() }];
      }),
    );
  }

  #add<T>(edge: Edge, made: { readonly writer: EdgeWriter; readonly push: T }): { readonly push: T } {
    this.#open.set(edge.id, { edge, ...made });
    return made;
  }
}
