import { randomFaultsTest } from './run/random-faults-test.ts';

randomFaultsTest('everything, of a job that appends to lists, which Porcupine judges,', {
  brokers: 1,
  workload: 'lists',
  seconds: 10,
  minFaults: 4,
});
