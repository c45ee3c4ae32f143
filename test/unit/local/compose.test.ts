import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { brokerSettings } from '../../../local/stack/kafka.ts';

test('the broker in compose.yaml has the settings of the embedded one', () => {
  const compose = parse(readFileSync(new URL('../../../compose.yaml', import.meta.url), 'utf8'));
  // The image takes settings as KAFKA_ variables: dots become underscores.
  const variable = (name: string) => `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`;
  const embedded = brokerSettings({ port: 9092, controllerPort: 9093, data: '', overrides: {} });
  const ownToEach = /listener|quorum|log\.dirs/;
  const shared = Object.entries(embedded).filter(([name]) => !ownToEach.test(name));
  const inCompose = shared.map(([name]) => [name, String(compose.services.kafka.environment[variable(name)])]);
  expect(Object.fromEntries(inCompose)).toEqual(Object.fromEntries(shared.map(([name, value]) => [name, String(value)])));
});
