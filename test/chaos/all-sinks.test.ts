import { randomFaultsTest } from './run/random-faults-test.ts';

randomFaultsTest('every process, the broker, the store and the uploads, of a job that writes to a topic, files and a table', {
  brokers: 1,
  workload: 'words-everywhere',
  seconds: 15,
  minFaults: 6,
});
