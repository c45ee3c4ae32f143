import { randomFaultsTest } from './run/random-faults-test.ts';

randomFaultsTest('three brokers and between them, of every process, the store and the transactions', {
  brokers: 3,
  seconds: 15,
  minFaults: 5,
});
