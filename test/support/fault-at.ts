import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { Fault } from './faults.ts';

/**
 * A module for `node --import`, loaded into the functions of a job before their own code: does something to the job at
 * an exact point between two processes. `ONE_FAULT` says what, where and when (`faults.ts`).
 */
const fault: Fault = JSON.parse(process.env['ONE_FAULT'] ?? '{}');
let answered = 0;
let before = Promise.resolve();

const [role] = process.argv.slice(2);
/** Does this process run the function? */
const isHere = role === fault.role || (role === 'any' && fault.role !== 'coordinator');

// Once only: a function that is started again goes on undisturbed.
if (isHere && !existsSync(fault.reportFile)) {
  const [service, command] = fault.request.split('.');
  if (service === 'DynamoDB') watchAws(DynamoDBClient, command ?? '');
  else if (service === 'S3') watchAws(S3Client, command ?? '');
  else watchKafka(fault.request);
}

/** Does the fault at its time, and says so first, so that the test knows that it came to pass. */
function reached(when: Fault['when']): void {
  if (when !== fault.when || answered !== (when === 'before' ? fault.nth - 1 : fault.nth)) return;
  writeFileSync(fault.reportFile, `${process.pid}`, { flag: 'wx' });
  // The parent leads the group of all processes of the job.
  if (fault.does === 'kill-all') process.kill(-process.ppid, 'SIGKILL');
  if (fault.does === 'kill-itself') process.kill(process.pid, 'SIGKILL');
  if (fault.does === 'stop-itself') process.kill(process.pid, 'SIGSTOP');
}

/** One at a time, so that "the n-th" means the same in every run. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = before.then(work);
  before = result.then(
    () => {},
    () => {},
  );
  return result;
}

function watchAws({ prototype }: { readonly prototype: object }, request: string): void {
  const { send } = prototype as { send(command: object, ...rest: unknown[]): Promise<unknown> };
  Object.assign(prototype, {
    send(this: object, command: object, ...rest: unknown[]) {
      if (command.constructor.name !== `${request}Command`) return send.call(this, command, ...rest);
      return inTurn(async () => {
        reached('before');
        const answer = await send.call(this, command, ...rest);
        answered += 1;
        reached('answered');
        return answer;
      });
    },
  });
}

interface QueuedRequest {
  readonly entry: { readonly apiName: string; resolve(answer: { readonly payload: Buffer }): void; reject(error: Error): void };
}

/** Kafka requests of which one was carried out when its answer, behind the throttle time, has no error code. */
function watchKafka(request: string): void {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: { push(request: QueuedRequest): void };
  };
  const { push } = queue.prototype;
  queue.prototype.push = function (this: object, queued: QueuedRequest) {
    if (queued.entry.apiName !== request) return push.call(this, queued);
    void inTurn(
      () =>
        new Promise<void>((resolve) => {
          reached('before');
          const { entry } = queued;
          const watched = {
            ...entry,
            resolve(answer: { readonly payload: Buffer }) {
              if (request !== 'EndTxn' || answer.payload.readInt16BE(4) === 0) {
                answered += 1;
                reached('answered');
              }
              entry.resolve(answer);
              resolve();
            },
            reject(error: Error) {
              entry.reject(error);
              resolve();
            },
          };
          push.call(this, { ...queued, entry: watched });
        }),
    );
  };
}
