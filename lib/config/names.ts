/*
 * One rule for each kind of name, wherever the name comes from: the job's code, the environment or a command.
 */

/** Completes "must be …". A job's name is part of blob names, transactional ids and group ids: only what all of them allow. */
export const NAME_RULE = 'a name of at most 64 letters, digits, . _ - that starts with a letter, a digit or -';

export function isName(name: string): boolean {
  return /^[A-Za-z0-9-][A-Za-z0-9._-]{0,63}$/.test(name);
}

/** Completes "must be …". */
export const TOPIC_RULE = 'a Kafka topic: 1 to 249 letters, digits, . _ -';

export function isTopic(name: string): boolean {
  return /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(name);
}
