import { UsageError } from '../lib/config/usage-error.ts';
import type { Route } from './input.ts';

/** A source that lines may be for. */
export interface LineSource {
  readonly uid: string;
  readonly topic: string;
}

export interface LineInput {
  /** Where a line goes. */
  readonly route: Route;
  /** The same, for people. */
  readonly says: string;
}

/**
 * Where lines go of a job with these sources: to the one that is named, by its uid or its topic, or to the only one; of several each line
 * names its own, before a tab.
 *
 * @throws UsageError: none of them has that name
 */
export function lineInput(sources: readonly LineSource[], named: string | undefined): LineInput {
  const find = (name: string) => sources.find(({ uid, topic }) => uid === name || topic === name)?.topic;
  const topics = new Set(sources.map(({ topic }) => topic));
  const [only] = topics;
  const topic = named === undefined ? (topics.size === 1 ? only : undefined) : find(named);
  if (topic !== undefined) return { route: (value) => ({ topic, value }), says: `each line that you type is a record of topic ${topic}` };
  if (named !== undefined) {
    const known = sources.map(({ uid, topic: of }) => `${uid} (topic ${of})`).join(', ');
    throw new UsageError(`--input is ${JSON.stringify(named)}: it must be a source of the job, by uid or topic: ${known}`);
  }
  return {
    route(line) {
      const at = line.indexOf('\t');
      const of = at < 0 ? undefined : find(line.slice(0, at));
      return of === undefined ? undefined : { topic: of, value: line.slice(at + 1) };
    },
    says: `several sources: a line that you type begins with its own and a tab: ${sources.map(({ uid }) => uid).join(', ')}`,
  };
}
