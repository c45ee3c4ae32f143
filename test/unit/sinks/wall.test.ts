import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** What only connectors know of. The import rules keep their code out of the coordinator; this keeps out their words. */
const WORDS = [
  /transactional/i,
  /producer(Id|Epoch)/i,
  /InitProducerId|EndTxn|AddPartitions|DescribeProducers/,
  /deliveryGuarantee|(exactly|at-least)-once/i,
  /transactionTimeout/i,
  /sinkTopic|writtenTopic/i,
  /commit ?marker/i,
  /[.]token\b|\btoken\./,
  /connector[^\n]*['"](kafka|write-ahead)['"]/i,
];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

it.each([...filesIn('lib/epoch'), 'lib/sinks/connector.ts'])('%s does not know by which connectors sinks write', (file) => {
  const lines = readFileSync(file, 'utf8').split('\n');
  const found = lines.filter((line) => WORDS.some((word) => word.test(line)));
  expect(found).toEqual([]);
});
