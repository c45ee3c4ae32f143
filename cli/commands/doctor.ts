import { topicsRead, topicsWritten } from '../../host/job/topics.ts';
import { parameters } from '../../lib/config/parameters.ts';
import type { JobTopics } from '../../lib/inspect/doctor/deps.ts';
import { examine } from '../../lib/inspect/doctor/doctor.ts';
import type { Finding, Verdict } from '../../lib/inspect/doctor/finding.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plural } from '../text.ts';
import type { CommandTools } from '../tools.ts';

export default command({
  name: 'doctor',
  usage: 'is everything around the job as it needs it? brokers, topics, rights, clock, table, blobs; each fault with its mend',
  more: `It looks as whoever runs it: with the login and the AWS credentials of this process, which may be others than the functions have. It
begins a transaction that writes nothing, and aborts it, and writes a blob of its own, which it deletes; of the job it changes nothing.
Topics are those of the module in ${parameters.job.variable}, or else those that the job's row names. Exit code 1 when something is wrong.`,
  options: {},
  examples: [
    { call: 'doctor', does: `before a job is first started: ${parameters.job.variable} names its module` },
    { call: 'doctor --job word-count --json', does: 'for a script: .findings, each with what, is, found and mend' },
  ],
  async run(tools) {
    const { config, job } = tools;
    const { deadLetterTopic } = config;
    const settings = { ...config, groupId: config.groupId ?? job };
    const topics = { ofModule: topicsOf(tools), deadLetterTopic };
    return doctorResult(job, await examine({ ...tools, kafka: tools.kafkaClient, settings, topics }));
  },
});

function topicsOf({ module, config }: CommandTools): JobTopics | undefined {
  const plan = module()?.plan;
  if (plan === undefined) return undefined;
  const { deadLetterTopic: deadLetters } = config;
  return {
    sources: topicsRead(plan),
    sinks: topicsWritten(plan).filter((topic) => topic !== deadLetters),
    deadLetters,
  };
}

export function doctorResult(job: string, findings: readonly Finding[]): CommandResult {
  const count = (verdict: Verdict) => findings.filter(({ is }) => is === verdict).length;
  const [wrong, warnings, unseen] = [count('wrong'), count('warning'), count('unknown')];
  const sum = [
    wrong === 0 ? paint('green', 'nothing is wrong') : paint(['bold', 'red'], `${plural(wrong, 'thing is', 'things are')} wrong`),
    plural(warnings, 'warning'),
    ...(unseen === 0 ? [] : [`${unseen} could not be seen`]),
  ];
  return {
    code: wrong === 0 ? EXIT.ok : EXIT.failed,
    json: { job, wrong, warnings, unknown: unseen, findings },
    text: `${findings.map(findingText).join('\n')}\n\njob ${job}: ${sum.join(', ')}`,
  };
}

const MARKS: Readonly<Record<Verdict, string>> = {
  well: paint('green', 'ok     '),
  wrong: paint(['bold', 'red'], 'WRONG  '),
  warning: paint('yellow', 'warning'),
  unknown: paint('dim', 'unknown'),
};

function findingText({ what, is, found, mend }: Finding): string {
  const lines = [`${MARKS[is]}  ${what}: ${found}`, ...(mend === undefined ? [] : [`         mend: ${mend}`])];
  return lines.join('\n');
}
