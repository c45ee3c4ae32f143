import type { JobRow } from '../../ports/epoch-store.ts';
import { sinksOf } from '../../protocol/pool.ts';
import { CONNECTOR } from '../../sinks/kafka/committable.ts';
import type { InspectDeps } from '../deps.ts';
import { manifestIn } from '../manifest.ts';
import type { JobTopics } from './deps.ts';

/** The topics that a job has read and written so far, where its module is not there to say which it does. */
export async function topicsOfRow(deps: InspectDeps, row: JobRow, deadLetters: string | undefined): Promise<JobTopics> {
  const { job, incarnation, lastCompleted, pool } = row;
  const last = lastCompleted === undefined ? undefined : await deps.epochs.readEpoch(job, incarnation, lastCompleted.epoch);
  const offsets = last === undefined ? {} : (await manifestIn(deps, last)).offsets;
  const sources = Object.values(offsets).flatMap((byTopic) => Object.keys(byTopic));
  const sinks = Object.values(sinksOf(pool, CONNECTOR)).flatMap(({ places }) => places);
  return { sources, sinks: sinks.filter((topic) => topic !== deadLetters), deadLetters };
}
