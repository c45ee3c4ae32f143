import { expect, it } from 'vitest';
import { poolIds, scopesByCluster } from '../../../../lib/sinks/kafka/ids.ts';

it('what may be open is known by cluster: a sink that has moved may have left something in both', () => {
  const sinks = { write: { subtasks: 1, places: ['counts', 'orders/counts'] }, copy: { subtasks: 2, places: ['orders/copies'] } };
  const scopes = scopesByCluster({ job: 'job', incarnation: 'inc', sinks });
  expect(scopes.map(([cluster, scope]) => [cluster, { ...scope.sinks }])).toEqual([
    ['', { write: { subtasks: 1, places: ['counts'] } }],
    ['orders', { write: { subtasks: 1, places: ['orders/counts'] }, copy: { subtasks: 2, places: ['orders/copies'] } }],
  ]);
  expect(poolIds('job', 'inc', sinks)).toEqual([
    'job-inc-write-0-0',
    'job-inc-write-0-1',
    'orders/job-inc-write-0-0',
    'orders/job-inc-write-0-1',
    'orders/job-inc-copy-0-0',
    'orders/job-inc-copy-0-1',
    'orders/job-inc-copy-1-0',
    'orders/job-inc-copy-1-1',
  ]);
});
