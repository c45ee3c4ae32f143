import { expect, it } from 'vitest';
import { consoleTool } from '../../../local/console-tools.ts';

const AT = ['--bootstrap-server', 'b:1'];
const COMMITTED = ['--isolation-level', 'read_committed'];
const WRITTEN = ['--topic', 'flink_kafka'];
const COUNTED = ['--topic', 'flink_kafka2'];

it.each([
  ['produce', [], [...AT, ...WRITTEN]],
  ['produce', ['--topic', 'mine'], [...AT, '--topic', 'mine']],
  ['produce', ['--topic=mine', '--sync'], [...AT, '--topic=mine', '--sync']],
  ['consume', [], [...AT, ...COUNTED, ...COMMITTED, '--from-beginning']],
  ['consume', ['--include', 'a.*'], [...AT, ...COMMITTED, '--from-beginning', '--include', 'a.*']],
  ['consume', ['--partition', '0', '--offset', '5'], [...AT, ...COUNTED, ...COMMITTED, '--partition', '0', '--offset', '5']],
  ['consume', ['--isolation-level', 'read_uncommitted'], [...AT, ...COUNTED, '--from-beginning', '--isolation-level', 'read_uncommitted']],
  ['consume', ['--bootstrap-server', 'c:2'], [...COUNTED, ...COMMITTED, '--from-beginning', '--bootstrap-server', 'c:2']],
  ['transactions', [], [...AT, 'list']],
  ['transactions', ['describe', '--transactional-id', 'x'], [...AT, 'describe', '--transactional-id', 'x']],
] as const)('npm run console:%s -- %j runs the tool with %j: what is given replaces what is set', (name, given, args) => {
  expect(consoleTool(name, given, 'b:1').args).toEqual(args);
});

it('a console says which topic it works on', () => {
  expect(consoleTool('produce', ['--topic', 'mine'], 'b:1').says).toBe('Type lines for topic mine, Ctrl-D to end. (Kafka at b:1)');
  expect(consoleTool('consume', [], 'b:1').says).toBe('Records of topic flink_kafka2, Ctrl-C to end. (Kafka at b:1)');
});
