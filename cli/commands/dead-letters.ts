import { parameters } from '../../lib/config/parameters.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { type DeadLetter, type LetterPlace, type LetterRange, rangesOfNow, readLetters } from '../../lib/inspect/dead-letters.ts';
import { retryLetter } from '../../lib/inspect/retry-letter.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { lettersText, letterText, shownLetter, shownPlace, summaryOf } from '../letter-text.ts';
import { flag, text, wholeNumber } from '../options.ts';
import { plural } from '../text.ts';
import type { CommandTools, Tools } from '../tools.ts';

const ACTIONS = ['list', 'show', 'retry'] as const;

export default command({
  name: 'dead-letters',
  usage: 'records that the job left out: which and why; and write them to their topic again',
  more: `list shows the newest. show shows one whole. retry writes the record to the topic and partition that it came from, with its key, value,
headers and timestamp, behind what is there now; it asks first. Mend first what it failed at. The letter stays where it is, so a second
retry writes the record a second time; so may a broker whose answer is lost.`,
  arguments: { takes: `${ACTIONS.join('|')} [PARTITION:OFFSET …]`, most: Number.POSITIVE_INFINITY, words: ACTIONS },
  options: {
    topic: text({
      takes: 'TOPIC',
      help: `the dead-letter topic; otherwise ${parameters.deadLetterTopic.variable}`,
      rule: parameters.deadLetterTopic.rule,
      isRight: (topic) => parameters.deadLetterTopic.schema.safeParse(topic).success,
    }),
    limit: wholeNumber({ takes: 'N', default: 20, help: 'list: show at most so many' }),
    all: flag('retry: every letter of the job that is there now'),
    yes: flag('retry: do not ask'),
  },
  examples: [
    {
      call: 'dead-letters list --job word-count --topic dead-letters',
      does: 'the newest 20: where each record was, where it failed, with which error',
    },
    { call: 'dead-letters show 0:12 --job word-count', does: 'the letter at offset 12 of partition 0: its stack, key, value and headers' },
    { call: 'dead-letters retry 0:12 2:7 --job word-count', does: 'writes the records of two letters to their topics again' },
    { call: 'dead-letters retry --all --yes --job word-count', does: 'of all letters, without a question' },
  ],
  async run(tools, values, [action, ...places]) {
    const topic = values.topic ?? tools.config.deadLetterTopic;
    if (topic === undefined) throw new UsageError(`which topic? Give --topic TOPIC, or set ${parameters.deadLetterTopic.variable}`);
    switch (action) {
      case 'list':
        refuseRest('list', places, values);
        return list(tools, topic, values.limit);
      case 'show':
        if (places.length !== 1 || values.all) throw new UsageError('dead-letters show takes one PARTITION:OFFSET, as list shows them');
        return show(tools, topic, placeIn(places[0] ?? ''));
      case 'retry':
        if ((places.length === 0) !== values.all)
          throw new UsageError('dead-letters retry takes either PARTITION:OFFSET of one letter or more, as list shows them, or --all');
        return retry(tools, topic, values.all ? 'all' : places.map(placeIn), values.yes);
      default:
        throw new UsageError(`dead-letters takes one of ${ACTIONS.join(', ')}${action === undefined ? '' : `, not ${action}`}`);
    }
  },
});

function refuseRest(action: string, places: readonly string[], { all, yes }: { readonly all: boolean; readonly yes: boolean }): void {
  if (places.length > 0 || all || yes) throw new UsageError(`dead-letters ${action} takes neither PARTITION:OFFSET nor --all nor --yes`);
}

function placeIn(given: string): LetterPlace {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,15})$/.exec(given) ?? [];
  if (offset === undefined) throw new UsageError(`${given} is no letter: name it by PARTITION:OFFSET, as list shows it, e.g. 0:12`);
  return { partition: Number(partition), offset: Number(offset) };
}

async function list(tools: Tools, topic: string, limit: number): Promise<CommandResult> {
  const kafka = await tools.kafka();
  let found = 0;
  let newest: ReturnType<typeof summaryOf>[] = [];
  for await (const letter of readLetters(kafka, topic, tools.job, await rangesOfNow(kafka, topic))) {
    found++;
    newest.push(summaryOf(letter));
    if (newest.length > 2 * limit) newest = newestOf(newest, limit);
  }
  const letters = newestOf(newest, limit);
  const { job } = tools;
  return { code: EXIT.ok, json: { job, topic, found, letters }, text: lettersText({ job, topic, found }, letters) };
}

/** By epochs: a letter's timestamp is that of its record. */
function newestOf<T extends { readonly epoch: number }>(letters: readonly T[], limit: number): T[] {
  return letters.toSorted((one, other) => one.epoch - other.epoch).slice(-limit);
}

async function show(tools: Tools, topic: string, at: LetterPlace): Promise<CommandResult> {
  const letter = await letterAt(tools, topic, at);
  return { code: EXIT.ok, json: { topic, ...shownLetter(letter) }, text: letterText(topic, letter) };
}

async function letterAt(tools: Tools, topic: string, { partition, offset }: LetterPlace): Promise<DeadLetter> {
  const kafka = await tools.kafka();
  const within = (await rangesOfNow(kafka, topic)).find((range) => range.partition === partition);
  if (within !== undefined && offset >= within.from && offset < within.to) {
    const only: LetterRange = { partition, from: offset, to: offset + 1 };
    for await (const letter of readLetters(kafka, topic, tools.job, [only])) return letter;
  }
  throw new UsageError(`topic ${topic} has no letter of job ${tools.job} at ${partition}:${offset}`);
}

async function retry(tools: CommandTools, topic: string, which: 'all' | readonly LetterPlace[], yes: boolean): Promise<CommandResult> {
  const kafka = await tools.kafka();
  // Those that come while it goes on, because a record fails again, are not among them.
  const letters = which === 'all' ? await rangesOfNow(kafka, topic) : await Promise.all(which.map((at) => letterAt(tools, topic, at)));
  const each = () => lettersIn(tools, topic, letters);
  const counts = new Map<string, number>();
  for await (const { from } of each()) counts.set(from.topic, (counts.get(from.topic) ?? 0) + 1);
  if (counts.size === 0)
    return { code: EXIT.ok, json: { topic, sent: [], refused: [] }, text: `topic ${topic} has no letter of job ${tools.job}` };
  if (!(yes || (await isAgreed(tools, counts))))
    return { code: EXIT.ok, json: { topic, sent: [], refused: [] }, text: 'nothing was written' };
  const sent: object[] = [];
  const refused: { readonly at: string; readonly why: string }[] = [];
  for await (const letter of each()) {
    const retried = await retryLetter({ ...tools, kafka }, letter);
    const { topic: to, partition } = letter.from;
    if (retried.outcome === 'sent') sent.push({ ...letter.at, to: { topic: to, partition, offset: retried.offset } });
    else refused.push({ at: shownPlace(letter.at), why: retried.why });
  }
  const lines = [`${plural(sent.length, 'record')} written again`, ...refused.map(({ at, why }) => `letter ${at} was not: ${why}`)];
  return { code: refused.length === 0 ? EXIT.ok : EXIT.failed, json: { topic, sent, refused }, text: lines.join('\n') };
}

async function* lettersIn(tools: Tools, topic: string, of: readonly (DeadLetter | LetterRange)[]): AsyncGenerator<DeadLetter> {
  for (const each of of) {
    if ('at' in each) yield each;
    else yield* readLetters(await tools.kafka(), topic, tools.job, [each]);
  }
}

/** @throws UsageError: nobody is there to be asked */
async function isAgreed({ ask }: CommandTools, counts: ReadonlyMap<string, number>): Promise<boolean> {
  const where = [...counts].map(([topic, count]) => `${plural(count, 'record')} to topic ${topic}`).join(', ');
  const answer = await ask(`Write ${where} again?`);
  if (answer === 'nobody') throw new UsageError(`this would write ${where} again, and nobody is there to be asked: give --yes`);
  return answer === 'yes';
}
