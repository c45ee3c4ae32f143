import * as z from 'zod';

/*
 * What crosses a process is plain JSON, and declared once: a schema here in lib/protocol, of which the type is inferred. Whoever
 * reads such a value checks it by the schema first. The lists and records of the types cannot be changed.
 */

export const count = z.int().min(0);
export const text = z.string();
/** A name or an id: never empty. */
export const name = z.string().min(1);
/** A span or a moment in milliseconds. */
export const ms = z.number().min(0);

export function list<T extends z.ZodType>(of: T) {
  return z.array(of).readonly();
}

/** By a name that users may have chosen. */
export function byName<T extends z.ZodType>(of: T) {
  return z.record(z.string(), of).readonly();
}

/** What a sink's connector alone understands. Whoever else has it carries it. */
export const own = z.record(z.string(), z.unknown()).readonly();
export type Own = z.infer<typeof own>;

/** What is wrong with a value, first thing first; undefined when it keeps the schema. */
export function shapeFault(schema: z.ZodType, value: unknown): string | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? 'it' : path}: ${issue?.message ?? 'invalid'}`;
}
