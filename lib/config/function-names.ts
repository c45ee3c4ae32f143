import { createHash } from 'node:crypto';
import type { FunctionTarget } from '../ports/function-invoker.ts';

const MAX_NAME_LENGTH = 64;

export type FunctionRole = 'coordinator' | FunctionTarget['role'];

/** What a prefix must be, so that every name begins with all of it: permissions are given by prefix. */
export const PREFIX_RULE = 'at most 40 letters, digits, - and _';

export function isPrefix(prefix: string): boolean {
  return /^[A-Za-z0-9_-]{1,40}$/.test(prefix);
}

/** The name of the Lambda function that runs the coordinator. */
export function coordinatorName(prefix: string): string {
  return fit(`${prefix}-coordinator`, '');
}

/**
 * The name of the Lambda function that runs a target's work: `<prefix>-source` and `<prefix>-sink` serve all their
 * subtasks; an operator has a function for each stage and subtask, `<prefix>-operator-<stage>-<subtask>`, so that a
 * warm one holds the state of exactly that subtask. The CDK app and the invoker both take names from here.
 *
 * Lambda allows 64 letters, digits, - and _: a stage whose name does not fit is shortened and told apart by a hash.
 */
export function functionName(prefix: string, target: FunctionTarget): string {
  if (target.role !== 'operator') return fit(`${prefix}-${target.role}`, '');
  return fit(`${prefix}-${target.role}-${target.stage}`, `-${target.subtask}`);
}

/** Where the functions of a role log to. */
export function logGroupName(prefix: string, role: FunctionRole): string {
  return `/onceflow/${prefix}/${role}`;
}

/** Cuts only `head`: the subtask at the end must stay readable and different. */
function fit(head: string, tail: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(head) && head.length + tail.length <= MAX_NAME_LENGTH) return head + tail;
  const hash = `-${createHash('sha256').update(head).digest('hex').slice(0, 8)}`;
  const kept = head.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, MAX_NAME_LENGTH - hash.length - tail.length);
  return kept + hash + tail;
}
