import { describe, expect, it } from 'vitest';
import { CorruptBlobError } from '../../../lib/format/blob.ts';
import { BlobConflictError, BlobMissingError } from '../../../lib/ports/blob-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import { OversizedRecordError, UserCodeError } from '../../../lib/records/errors.ts';
import { FatalStageError, failureOf, RefusedStageError } from '../../../lib/stages/common.ts';

const place = { topic: 'in', partition: 1, offset: 7 };

describe('a failure', () => {
  it("of user code has the operator, the record and the user's own error, not ours", () => {
    const cause = new RangeError('no');
    expect(failureOf(new UserCodeError('count', cause, place))).toMatchObject({
      kind: 'user-code',
      message: 'count at topic in, partition 1, offset 7: RangeError: no',
      fault: { operator: 'count', errorClass: 'RangeError', message: 'no', stack: cause.stack, record: place },
    });
  });

  it('of user code that throws what is no error is one all the same', () => {
    expect(failureOf(new UserCodeError('count', 'just a text'))).toMatchObject({
      kind: 'user-code',
      fault: { operator: 'count', errorClass: 'Error', message: 'just a text', stack: undefined },
    });
  });

  it('of a record that is too large for its sink is of that record', () => {
    const failed = failureOf(new OversizedRecordError('out', 'counts', new Error('too large')).at(place));
    expect(failed).toMatchObject({ kind: 'record', fault: { operator: 'out', errorClass: 'OversizedRecordError', record: place } });
    expect(failed.message).toBe('sink out, topic counts: too large (made of topic in, partition 1, offset 7)');
  });

  it('of the store has no record', () => {
    const error = new StoreProblem('away', true);
    const failed = failureOf(error);
    expect(failed).toMatchObject({ kind: 'transient', message: 'away', stack: error.stack });
    expect(failed.fault).toBeUndefined();
  });

  it('keeps a few KB of its texts: a message may hold a whole record', () => {
    const failed = failureOf(new UserCodeError('count', new Error('x'.repeat(5_000_000))));
    expect(JSON.stringify(failed).length).toBeLessThan(40_000);
  });

  it.each([
    new FatalStageError('no'),
    new MalformedError('no'),
    new CorruptBlobError('blob', 'manifest', 'no'),
    new BlobMissingError('blob', 'bucket b'),
    new BlobConflictError('blob', 'bucket b'),
  ])('that a repeat cannot mend stops the job: $name', (error) => {
    expect(failureOf(error)).toMatchObject({ kind: 'fatal' });
  });

  it.each([new StoreProblem('no', false), new KafkaProblem('TOPIC_AUTHORIZATION_FAILED', 'no', false), new RefusedStageError('no')])(
    'of somebody who refuses is repeated until it has lasted: $name',
    (error) => {
      expect(failureOf(error)).toMatchObject({ kind: 'refused' });
    },
  );
});
