import { randomFaultsTest } from './run/random-faults-test.ts';

// The job does what the plain word count does, and its faults are those of the word count and one lane more: so there is no run of that one beside it.
randomFaultsTest(
  'every process, the broker, the store, the transactions and the uploads, of a job that writes to a topic, files and a table',
  {
    brokers: 1,
    workload: 'words-everywhere',
    seconds: 25,
    minFaults: 10,
  },
);
