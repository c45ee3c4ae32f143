import { readToolConfig } from '../lib/config/read-config.ts';
import type { Stack } from './stack/stack.ts';

/** Of the SDK, and stronger than the address of an embedded stack. */
const ELSEWHERE = /^AWS_(PROFILE|ENDPOINT_URL_.+|IGNORE_CONFIGURED_ENDPOINT_URLS)$/;

/** Leads this process's clients to the stack. One that was started here is used whatever the environment says of others, and that is said. */
export function useStack(stack: Stack): void {
  if (readToolConfig(process.env).stack === 'embedded') {
    for (const name of Object.keys(process.env)) if (ELSEWHERE.test(name)) delete process.env[name];
    sayUnused(
      ['ONCEFLOW_BROKERS', 'AWS_ENDPOINT_URL'],
      'Kafka and AWS are started here; ONCEFLOW_STACK=external uses those that run already',
    );
  }
  Object.assign(process.env, stack.env);
}

/** Nothing that somebody set is passed over in silence. */
export function sayUnused(names: readonly string[], because: string): void {
  for (const name of names) {
    const value = process.env[name];
    if (value) console.error(`${name}=${value} is not used: ${because}`);
  }
}
