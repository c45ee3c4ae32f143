import * as z from 'zod';
import { isName } from '../../lib/config/names.ts';
import { isSavepointName, SAVEPOINT_NAME_RULE } from '../../lib/config/savepoint-name.ts';

/** A call of `onceflow` on this job. What a page asks for becomes words of a command, each checked before: no other option can be slipped in. */
export type Call = readonly [command: string, ...words: string[]];

const MOST_SUBTASKS = 999_999;

/** Every action of the page, and what it has done. */
const ACTIONS = {
  stop: { asks: z.strictObject({}), callOf: (): Call => ['stop'] },
  resume: { asks: z.strictObject({}), callOf: (): Call => ['resume'] },
  savepoint: {
    asks: z.strictObject({ name: z.string().refine(isSavepointName, `it must be ${SAVEPOINT_NAME_RULE}`) }),
    callOf: ({ name }: { readonly name: string }): Call => ['savepoint', 'create', name],
  },
  rescale: {
    asks: z.strictObject({
      stage: z.string().refine((stage) => isName(stage) && !stage.startsWith('-'), 'it must be a stage of the job'),
      subtasks: z.union(
        [z.literal('auto'), z.int().min(1).max(MOST_SUBTASKS)],
        `it must be auto, or a whole number from 1 to ${MOST_SUBTASKS}`,
      ),
    }),
    callOf: ({ stage, subtasks }: { readonly stage: string; readonly subtasks: number | 'auto' }): Call => [
      'rescale',
      `${stage}=${subtasks}`,
    ],
  },
};

export type ActionName = keyof typeof ACTIONS;

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name);
}

/** The call that an action is. `why`: what was asked for is none. */
export function callIn(name: ActionName, body: string): { readonly call: Call } | { readonly why: string } {
  const given = jsonIn(body);
  if (given === undefined) return { why: 'what was sent is no JSON' };
  const { asks, callOf } = ACTIONS[name] as { readonly asks: z.ZodType; readonly callOf: (asked: unknown) => Call };
  const parsed = asks.safeParse(given);
  if (parsed.success) return { call: callOf(parsed.data) };
  const [issue] = parsed.error.issues;
  return { why: `${issue?.path.join('.') || 'what was sent'}: ${issue?.message ?? 'it is wrong'}` };
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
