import { nameOf } from '../format/byte-writer.ts';
import { JobDefinitionError, type Output } from '../graph/job.ts';
import { LATE } from '../operators/kinds/time-order.ts';
import type { JobDraft } from './job-draft.ts';

declare const value: unique symbol;

/** A side output's declaration: of values of this type. Made by `sideOutput`. */
export interface SideOutputSpec<T> {
  /** Always: it is told from other things by it. */
  readonly isSideOutput: true;
  /** For the compiler alone. */
  readonly [value]?: T;
}

/**
 * Declares what an operator gives aside, beside what it emits: Flink's `OutputTag`. The operator names it in `sideOutputs`, its functions
 * emit to it by that name, and `sideOutput` of what the operator makes is the stream of it.
 *
 * @example
 * const checked = orders.keyBy(({ id }) => id, utf8).process('check', {
 *   state: {},
 *   sideOutputs: { refused: sideOutput<string>() },
 *   onRecord(order, _, out: Output<Order>, { sideOutputs }) {
 *     if (order.total > 0) out.emit(order);
 *     else sideOutputs.refused.emit(`${order.id}: ${order.total}`);
 *   },
 * });
 * checked.sideOutput('refused').sink('write-refused', kafkaSink({ topic: 'refused', value: utf8 }));
 */
export function sideOutput<T>(): SideOutputSpec<T> {
  return { isSideOutput: true };
}

/** Side outputs by names of the author's. */
export type SideOutputSpecs = Readonly<Record<string, SideOutputSpec<unknown>>>;

/** The values of a side output. */
export type SideOutputValue<Spec> = Spec extends SideOutputSpec<infer T> ? T : never;

/** Where an operator's functions emit what they give aside. */
export type SideOutputs<O extends SideOutputSpecs> = { readonly [Name in keyof O]: Output<SideOutputValue<O[Name]>> };

/** The names that an operator declares. Throws `JobDefinitionError`. */
export function sideOutputNames(draft: JobDraft, uid: string, specs: SideOutputSpecs = {}): readonly string[] {
  return Object.entries(specs).map(([name, spec]) => {
    draft.checkName(name.toLowerCase(), `side output of ${uid}`);
    const where = `job ${draft.name}: side output ${name} of ${uid}`;
    if ((spec as Partial<SideOutputSpec<unknown>> | null)?.isSideOutput !== true)
      throw new JobDefinitionError(`${where}: ${nameOf(spec)} is no side output: declare it by sideOutput<Order>()`);
    if (name === LATE) throw new JobDefinitionError(`${where}: ${LATE} is the name of what comes too late: give it another`);
    return name;
  });
}
