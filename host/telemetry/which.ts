import { type SeriesName, series } from '../../lib/config/series.ts';

const ALL = Object.keys(series) as SeriesName[];

/** What `onceflow worker` measures, and what `onceflow run` does. */
export const OF_A_WORKER = ALL.filter((name) => name.startsWith('onceflow.worker.'));
export const OF_A_JOB = ALL.filter((name) => !OF_A_WORKER.includes(name));
