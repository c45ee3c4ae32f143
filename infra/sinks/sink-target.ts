import type { JobSummary } from '../../host/job/describe.ts';

/** Where a sink of the job writes to. */
export type SinkTarget = Extract<JobSummary['plan']['stages'][number], { readonly kind: 'sink' }>['to'];
