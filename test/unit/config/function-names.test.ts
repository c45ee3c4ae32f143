import { describe, expect, it } from 'vitest';
import { functionName } from '../../../lib/config/function-names.ts';

describe('function names', () => {
  it('share one function among the subtasks of sources, and one among those of sinks', () => {
    expect(functionName('wc', { role: 'source', stage: 'read-lines', subtask: 3 })).toBe('wc-source');
    expect(functionName('wc', { role: 'sink', stage: 'write-counts', subtask: 0 })).toBe('wc-sink');
  });

  it('give every operator subtask a function of its own', () => {
    expect(functionName('wc', { role: 'operator', stage: 'count-words', subtask: 12 })).toBe('wc-operator-count-words-12');
  });

  it('stay within what Lambda allows, and apart, for long names and names with dots', () => {
    const long = 's'.repeat(64);
    const names = [
      functionName('prefix', { role: 'operator', stage: `${long}a`, subtask: 0 }),
      functionName('prefix', { role: 'operator', stage: `${long}b`, subtask: 0 }),
      functionName('prefix', { role: 'operator', stage: `${long}b`, subtask: 32_767 }),
      functionName('prefix', { role: 'operator', stage: 'a.b', subtask: 0 }),
      functionName('prefix', { role: 'operator', stage: 'a-b', subtask: 0 }),
    ];
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(new Set(names).size).toBe(names.length);
    expect(names[2]).toMatch(/-32767$/);
  });
});
