import { edgeBetween, type PhysicalPlan } from '../../lib/plan/plan.ts';

/** A source `lines`, an operator stage `count` and a sink `write`. */
export const countingPlan: PhysicalPlan = {
  job: 'job',
  stages: [
    { kind: 'source', id: 'lines', topic: 'in', startingOffsets: 'earliest' },
    { kind: 'operator', id: 'count', operators: ['count'] },
    { kind: 'sink', id: 'write', to: { kind: 'kafka', topics: ['out'] } },
  ],
  edges: [
    edgeBetween({ from: 'lines', to: 'count', input: 0, how: 'key' }),
    edgeBetween({ from: 'count', to: 'write', input: 0, how: 'sink' }),
  ],
};

export const ROWS = 'lines>count.0';
export const STAGED = 'count>write.0';
