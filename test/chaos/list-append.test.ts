import { randomFaultsTest } from './run/random-faults-test.ts';

randomFaultsTest('every process, the broker, the store and the transactions, of a job that appends to lists, judged by Porcupine,', {
  brokers: 1,
  workload: 'lists',
  seconds: 10,
  minFaults: 4,
});
