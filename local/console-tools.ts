import { DEFAULT_TOPICS } from './default-topics.ts';

interface Tool {
  readonly mainClass: string;
  /** What it does unless it is told something else. */
  readonly command?: string;
  readonly options: readonly Option[];
  readonly says: (topic: string) => string;
}

interface Option {
  readonly name: string;
  readonly value?: string;
  /** With one of these the tool takes it no more. */
  readonly notWith?: readonly string[];
}

const topic = (value: string): Option => ({ name: '--topic', value, notWith: ['--include', '--whitelist'] });

export const TOOLS = {
  produce: {
    mainClass: 'org.apache.kafka.tools.ConsoleProducer',
    options: [topic(DEFAULT_TOPICS.produce)],
    says: (of) => `Type lines for topic ${of}, Ctrl-D to end.`,
  },
  consume: {
    mainClass: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
    options: [
      topic(DEFAULT_TOPICS.consume),
      { name: '--isolation-level', value: 'read_committed' },
      { name: '--from-beginning', notWith: ['--offset'] },
    ],
    says: (of) => `Records of topic ${of}, Ctrl-C to end.`,
  },
  transactions: {
    mainClass: 'org.apache.kafka.tools.TransactionsCommand',
    command: 'list',
    options: [],
    says: () => 'Transactions as Kafka knows them.',
  },
} as const satisfies Record<string, Tool>;

/** A tool with its arguments: ours, but for those in whose place others are given, then those. */
export function consoleTool(
  name: keyof typeof TOOLS,
  given: readonly string[],
  brokers: string,
): { readonly mainClass: string; readonly args: string[]; readonly says: string } {
  const { mainClass, command, options, says }: Tool = TOOLS[name];
  const isGiven = (option: string) => given.some((arg) => arg === option || arg.startsWith(`${option}=`));
  const ours = options.filter((option) => ![option.name, ...(option.notWith ?? [])].some(isGiven));
  const server = isGiven('--bootstrap-server') ? [] : ['--bootstrap-server', brokers];
  const isTold = command !== undefined && given[0] !== undefined && !given[0].startsWith('-');
  const args = [
    ...server,
    ...(command === undefined || isTold ? [] : [command]),
    ...ours.flatMap((option) => [option.name, ...(option.value === undefined ? [] : [option.value])]),
    ...given,
  ];
  return { mainClass, args, says: `${says(topicIn(args))} (Kafka at ${brokers})` };
}

function topicIn(args: readonly string[]): string {
  const inline = args.find((arg) => arg.startsWith('--topic='))?.slice('--topic='.length);
  return inline ?? args[args.indexOf('--topic') + 1] ?? '';
}
