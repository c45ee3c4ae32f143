import { askingJobs } from '../jobs/asking.ts';
import { branchingJobs } from '../jobs/branching.ts';
import { connectedJobs } from '../jobs/connected.ts';
import { countingJobs } from '../jobs/counting.ts';
import { fadingJobs } from '../jobs/fading.ts';
import { reaching } from '../jobs/reaching.ts';
import { renewed } from '../jobs/renewed.ts';
import { routingJobs } from '../jobs/routing.ts';
import { tableJobs } from '../jobs/tables.ts';
import { alignedJobs, preceded, timedJobs } from '../jobs/timed.ts';
import { windowedJobs } from '../jobs/windowed.ts';
import type { SimJob } from '../sim-job.ts';
import type { Focus } from './focus.ts';

/** Jobs that a focus is about. Not there: all. */
export const FOCUSED_JOBS: { readonly [F in Focus]?: readonly SimJob[] } = {
  time: [...timedJobs, ...fadingJobs],
  windows: windowedJobs,
  connected: [...connectedJobs, ...branchingJobs, ...askingJobs],
  held: alignedJobs,
  tables: tableJobs,
  routing: routingJobs,
  'topics-away': routingJobs,
  reach: [reaching],
  updates: [renewed, preceded],
  moves: [...countingJobs, ...timedJobs, ...fadingJobs],
};
