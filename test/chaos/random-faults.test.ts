import { randomFaultsTest } from './run/random-faults-test.ts';

randomFaultsTest('every process, the broker, the store and the transactions', { brokers: 1, seconds: 30, minFaults: 10 });
