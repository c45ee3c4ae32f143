import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { waitFor } from './wait-for.ts';

/** What happens to a job, in which function and at which of its requests. */
export interface Fault {
  readonly role: 'coordinator' | 'source' | 'operator' | 'sink';
  /** `DynamoDB.<command>`, `S3.<command>`, or the name of a Kafka request. */
  readonly request: string;
  /** `before` the request is sent, or when its `answer` has come but the function has not seen it. */
  readonly when: 'before' | 'answered';
  /** Counts requests that were carried out, from 1. */
  readonly nth: number;
  readonly does: 'kill-all' | 'kill-itself' | 'stop-itself';
  readonly reportFile: string;
}

/** Is a fault planned in this environment that happens to a function of a stage alone? */
export function isOfOneFunction({ ONE_FAULT }: Readonly<Record<string, string>>): boolean {
  if (ONE_FAULT === undefined) return false;
  const { role, does } = JSON.parse(ONE_FAULT) as Fault;
  return role !== 'coordinator' && does !== 'kill-all';
}

export interface PlannedFault {
  /** Environment that puts the fault into a job's functions. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the process id of the function in which it happened. */
  happened(): Promise<number>;
}

/** Epoch `n` is decided, and the coordinator has not heard of it. Epoch 0, the starting offsets, is decided too. */
export function afterDecision(epoch: number): Pick<Fault, 'role' | 'request' | 'when' | 'nth'> {
  return { role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when: 'answered', nth: epoch + 1 };
}

/** Plans one fault. It happens once: the same environment does nothing to a job that is started again. */
export function planFault(fault: Omit<Fault, 'reportFile'>): PlannedFault {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-fault-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const reportFile = join(folder, 'happened');
  const preload = fileURLToPath(new URL('fault-at.ts', import.meta.url));
  return {
    env: {
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${preload}`,
      ONE_FAULT: JSON.stringify({ ...fault, reportFile } satisfies Fault),
    },
    async happened() {
      await waitFor(`the fault ${JSON.stringify(fault)}`, () => existsSync(reportFile) && readFileSync(reportFile, 'utf8') !== '');
      return Number(readFileSync(reportFile, 'utf8'));
    },
  };
}
