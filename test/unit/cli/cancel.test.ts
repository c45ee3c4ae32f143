import { expect, it } from 'vitest';
import { cancel } from '../../../cli/commands/cancel.ts';
import type { Tools } from '../../../cli/tools.ts';
import { ConfigError } from '../../../lib/config/fault.ts';
import { jobRow } from '../epoch/job-row.ts';

it.each(['kafka', 'blobStore'] as const)('asks a job to stop only when what it needs itself is configured (%s)', async (lacking) => {
  const asked: string[] = [];
  const tools = {
    job: 'word-count',
    epochs: { readJob: async () => jobRow({}), setDesired: async (_job: string, desired: string) => void asked.push(desired) },
    kafka: async () => ({}),
    blobStore: async () => ({}),
    [lacking]: () => Promise.reject(new ConfigError([])),
  } as unknown as Tools;
  await expect(cancel(tools, 'retain', new AbortController().signal)).rejects.toThrow(ConfigError);
  expect(asked).toEqual([]);
});
