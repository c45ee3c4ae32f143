import { byName } from '../../config/by-name.ts';
import { subtasksOf } from '../../config/subtasks.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';
import { type Pool, widened } from '../../protocol/pool.ts';
import type { Own } from '../../protocol/shape.ts';
import type { SinkCoordination, SinkOfRun } from '../../sinks/connector.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, sinkStages } from '../coordinator/context.ts';

/** A connector, and the sinks of this run that it brings. */
interface ConnectedSinks {
  readonly connector: SinkCoordination;
  readonly sinks: readonly SinkOfRun[];
}

type WithSinks = Pick<CoordinatorDeps, 'sinks'>;

/** The sinks of this run, by connector. */
function connectedSinks({ sinks }: WithSinks, settings: Pick<JobSettings, 'plan'>): ConnectedSinks[] {
  const all = sinkStages(settings).map(({ id, to }) => ({ connector: sinks.forTarget(to), sink: id, target: to }));
  return [...Map.groupBy(all, ({ connector }) => connector.connector).values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ connector: first.connector, sinks: own.map(({ sink, target }) => ({ sink, target })) }];
  });
}

/** Why a job with these sinks and times cannot run; undefined: it can. */
export async function refusalOfTimes(deps: WithSinks, settings: JobSettings): Promise<string | undefined> {
  const refusals = await Promise.all(connectedSinks(deps, settings).map(({ connector, sinks }) => connector.refusalOf(settings, sinks)));
  return refusals.find((refusal) => refusal !== undefined);
}

/** By sink, what its connector has to know of where it writes to. @throws JobFailedError: a person has to act */
export async function learnSinks(deps: WithSinks, settings: Pick<JobSettings, 'plan'>): Promise<Record<string, Own>> {
  const learnt = await Promise.all(connectedSinks(deps, settings).map(({ connector, sinks }) => connector.learn(sinks)));
  return byName(
    learnt.flatMap((each) => {
      if (each.outcome === 'refused') throw new JobFailedError(each.message);
      return Object.entries(each.facts);
    }),
  );
}

/**
 * Where the sinks of this run write to, as far as this connector ends what is open there. Undefined: there is no run, only what one has
 * left.
 */
export function placesInUse(deps: WithSinks, settings: Pick<JobSettings, 'plan'>, poolOf: string): readonly string[] | undefined {
  if (settings.plan.stages.length === 0) return undefined;
  return connectedSinks(deps, settings)
    .filter(({ connector }) => connector.poolOf === poolOf)
    .flatMap(({ connector, sinks }) => sinks.flatMap(({ target }) => connector.placesOf(target)));
}

/** The pool, as wide as epochs of these numbers need it. To be recorded before anything of such an epoch is prepared. */
export function widestPool(deps: WithSinks, settings: Pick<JobSettings, 'plan'>, parallelism: Parallelism, recorded: Pool): Pool {
  return connectedSinks(deps, settings).reduce((pool, { connector, sinks }) => {
    // What prepares nothing leaves nothing open; others may, where it writes to.
    const preparing = (sink: string) => (connector.how === 'prepared' ? subtasksOf(parallelism, sink) : 0);
    const own = sinks.map(({ sink, target }) => [sink, { subtasks: preparing(sink), places: connector.placesOf(target) }] as const);
    return widened(pool, { [connector.poolOf]: byName(own) });
  }, recorded);
}
