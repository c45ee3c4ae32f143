import { forged } from '../../histories/forged.ts';
import { type History, historyOf } from '../../histories/history.ts';
import { wrongIn } from '../../histories/plain-check.ts';
import { buildPorcupine, hasGo, porcupineOn } from '../../histories/porcupine.ts';
import { countWords, faultsOf, totalOf, type WordCountFaults } from '../../support/word-counts.ts';
import { type ElsewhereFaults, elsewhereFaults } from './elsewhere.ts';
import { type Onlooker, type ReadRecord, readCommitted, unfinishedTransactions } from './java-reader.ts';
import type { Scene } from './scene.ts';

/** What came of a run, as Kafka's own tools and AWS's clients see it. */
export interface Verdict {
  /** What was looked at, in a line. */
  readonly said: string;
  /** Everything that is not as it should be; nothing: it is exact. */
  readonly wrong: readonly string[];
}

const SHOWN = 20;

export async function verdictOn(scene: Scene): Promise<Verdict> {
  const { onlooker } = scene;
  const bootstrap = scene.brokers.addresses.join(',');
  const [input, output, unfinished] = await Promise.all([
    readCommitted(bootstrap, scene.input),
    readCommitted(bootstrap, scene.output),
    unfinishedTransactions(bootstrap),
  ]);
  const of = onlooker === undefined ? await wordsVerdict(scene, input, output) : await listsVerdict(input, output, onlooker);
  const open = unfinished.map((transaction) => `open transaction: ${transaction}`);
  return { said: `${of.said}; ${open.length} open transactions`, wrong: [...of.wrong, ...open] };
}

async function wordsVerdict({ elsewhere }: Scene, input: readonly ReadRecord[], output: readonly ReadRecord[]): Promise<Verdict> {
  const lines = input.map(({ value }) => value);
  const inTopic = wrongCounts('', faultsOf(output, lines));
  const said = `${totalOf(countWords(lines))} words; in the topic ${inTopic.length === 0 ? 'every count once, in order' : 'not so'}`;
  if (elsewhere === undefined) return { said, wrong: inTopic };
  const wrong = wrongElsewhere(await elsewhereFaults(elsewhere, lines));
  return { said: `${said}; in files and table ${wrong.length === 0 ? 'too' : 'not so'}`, wrong: [...inTopic, ...wrong] };
}

function wrongCounts(where: string, { missing, extra, disordered }: WordCountFaults): string[] {
  return [
    ...missing.map((count) => `${where}missing: ${count}`),
    ...extra.map((count) => `${where}more than once, or wrong: ${count}`),
    ...disordered.map((word) => `${where}out of order: ${word}`),
  ];
}

function wrongElsewhere({ files, lists, items, uploads }: ElsewhereFaults): string[] {
  return [...wrongCounts('in files, ', files), ...lists, ...items, ...uploads.map((upload) => `open upload: ${upload}`)];
}

/**
 * The history of the appends: when each was sent, as its record says, and when the reader saw what came of it. It is judged by Porcupine (where there is a
 * Go) and by the plain check; and so that no judge passes who takes everything, what is made wrong in it has to be refused.
 */
async function listsVerdict(input: readonly ReadRecord[], output: readonly ReadRecord[], onlooker: Onlooker): Promise<Verdict> {
  const endMs = Date.now();
  const live = output.filter((record) => onlooker.sawAtMs(record) !== undefined).length;
  const history = historyOf(
    input.map(({ partition, offset, timestamp, value }) => {
      const [key = '', element = ''] = value.split(' ');
      return { key, element, partition, place: offset, atMs: timestamp };
    }),
    output.map((record) => ({ text: record.value, atMs: onlooker.sawAtMs(record) ?? endMs })),
  );
  const judges = hasGo() ? [plain, porcupine] : [plain];
  if (hasGo()) buildPorcupine();
  const wrong = (await Promise.all(judges.map((judge) => judge(history)))).flat();
  const taken = await Promise.all(
    forged(history).flatMap(({ what, history: other }) =>
      judges.map(async (judge) => ((await judge(other)).length === 0 ? [`${judge.name} takes a history with ${what}`] : [])),
    ),
  );
  const lists = new Set(history.appends.map(({ key }) => key)).size;
  const by = judges.length === 1 ? 'the plain check alone: there is no Go here, which brings Porcupine' : 'Porcupine and the plain check';
  return {
    said: `${history.appends.length} appends to ${lists} lists, of ${output.length} records ${live} were seen as they came; judged by ${by}`,
    wrong: [...wrong.slice(0, SHOWN), ...(wrong.length > 0 ? [] : taken.flat())],
  };
}

async function plain(history: History): Promise<string[]> {
  return wrongIn(history);
}

async function porcupine(history: History): Promise<string[]> {
  const said = await porcupineOn(history);
  return said === undefined ? [] : [`Porcupine: ${said}`];
}
