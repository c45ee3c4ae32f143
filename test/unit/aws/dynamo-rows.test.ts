import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, it } from 'vitest';
import { attributes, decodeJob, encodeEpoch, encodeJob } from '../../../lib/aws/dynamo-rows.ts';
import { byName } from '../../../lib/config/by-name.ts';
import { epochSummarySchema } from '../../../lib/protocol/rows.ts';
import { manifestOf } from '../cli/rows.ts';
import { jobRow } from '../epoch/job-row.ts';

/** A uid is a user's, and this is one. */
const ODD = 'constructor';
const odd = <T>(value: T) => byName([[ODD, value] as const]);

it('a job row has what it says of a stage by any name', () => {
  const row = jobRow({
    pool: odd(odd({ subtasks: 2, places: ['lines'] })),
    scale: odd({ subtasks: 2, least: 1, most: 4, since: undefined }),
    rescale: { id: 'r', subtasks: odd(3), askedAtMs: 1 },
    underWay: {
      ...{ generation: 1, atMs: 5, failed: [] },
      attempts: [{ epoch: 7, attempt: 1, plannedAtMs: 4, phase: 'working', stages: odd({ afterMs: 1 }) }],
    },
  });
  expect(decodeJob(encodeJob(row))).toEqual(expect.objectContaining({ ...row, job: row.job }));
});

it("an epoch's row has what it says of a stage by any name", () => {
  const summary = { plannedAtMs: 0, decidedAtMs: 1, attempts: 1, recordsIn: 2, recordsOut: 3, stages: odd({ afterMs: 1, ms: 2 }) };
  const { decisionId, epoch, incarnation } = manifestOf(7);
  const row = encodeEpoch({ job: 'job', incarnation, epoch, decisionId, summary, manifest: { at: 'blob', name: 'm' } });
  expect(epochSummarySchema.parse(unmarshall(row)['summary'])).toEqual(summary);
});

it('what is undefined is no attribute, at any depth', () => {
  expect(attributes({ a: undefined, b: { c: undefined, d: [1, 'x'] } })).toEqual({ b: { M: { d: { L: [{ N: '1' }, { S: 'x' }] } } } });
});
