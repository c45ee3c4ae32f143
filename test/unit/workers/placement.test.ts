import { describe, expect, it } from 'vitest';
import type { FunctionTarget } from '../../../lib/ports/function-invoker.ts';
import { mostSubtasks, orderFrom, placeSubtasks } from '../../../lib/workers/placement.ts';
import { createSpread } from '../../../workers/spread.ts';

const target = (stage: string, subtask = 0, role: FunctionTarget['role'] = 'operator'): FunctionTarget => ({ role, stage, subtask });

describe('the home of a subtask', () => {
  it('goes round the workers, and a stage begins behind the one before it', () => {
    const homeOf = placeSubtasks(
      mostSubtasks([{ id: 'read' }, { id: 'count' }, { id: 'write' }], { count: { least: 1, most: 3 }, write: 1 }),
      3,
    );
    expect([target('read'), target('count', 0), target('count', 1), target('count', 2), target('write')].map(homeOf)).toEqual([
      0, 1, 2, 0, 1,
    ]);
  });

  it('is one of the workers also for a subtask that the configuration did not know', () => {
    const homeOf = placeSubtasks([{ id: 'count', subtasks: 2 }], 2);
    expect([homeOf(target('count', 7)), homeOf(target('another', 4))]).toEqual([1, 0]);
  });

  it('is asked first, then the workers behind it', () => {
    expect(orderFrom(2, 4)).toEqual([2, 3, 0, 1]);
    expect(orderFrom(0, 1)).toEqual([0]);
  });
});

describe('the processes of a worker', () => {
  it('have as many subtasks of each stage as the others, and of all stages', () => {
    const processFor = createSpread(2);
    const at = ['a', 'b', 'c'].map((stage) => [0, 1, 2].map((subtask) => processFor(target(stage, subtask))));
    for (const ofStage of at) expect(new Set(ofStage)).toEqual(new Set([0, 1]));
    expect(at.flat().filter((process) => process === 0).length).toBeOneOf([4, 5]);
  });

  it('keep what was theirs', () => {
    const processFor = createSpread(3);
    const targets = Array.from({ length: 7 }, (_, subtask) => target('count', subtask));
    const first = targets.map(processFor);
    expect(targets.toReversed().map(processFor)).toEqual(first.toReversed());
  });

  it('tell a source and a sink of the same name apart', () => {
    const processFor = createSpread(2);
    expect(processFor(target('x', 0, 'source'))).not.toBe(processFor(target('x', 0, 'sink')));
  });
});
