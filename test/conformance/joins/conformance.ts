/** `npm run conformance:joins`: see USAGE. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { UsageError } from '../../../lib/config/usage-error.ts';
import { runCommand, wholeNumber } from '../../../local/command.ts';
import { PeerJvm } from '../jvm.ts';
import { linesOf, readKept, writeKept } from '../kept.ts';
import { type Answer, type Case, type KeptCase, type Output, PEERS, type Peer, type Question, type Step } from './case.ts';
import { askedPlainly, choices, theyGave } from './choices.ts';
import { type Difference, differenceOf } from './compare.ts';
import { draws } from './draw.ts';
import { ours } from './ours.ts';
import { questionOf } from './questions.ts';

const USAGE = `npm run conformance:joins -- [--runs N] [--seed S]    draws N cases (default 200) of each join, table and ranking from seed S (default:
                                                      a new one) and runs them through Onceflow's operators, Flink's, and those
                                                      of Kafka Streams; a difference is shrunk and printed
npm run conformance:joins -- --kind interval          of one kind alone: ${Object.keys(PEERS).join(', ')}
npm run conformance:joins -- --keep FILE              adds the cases of a file, one on each line, to test/fixtures/joins.jsonl, and
                                                      writes down what the others give to all that are there`;

/** In test/fixtures. */
const FILE = 'joins.jsonl';
const KINDS = Object.keys(PEERS) as readonly Case['kind'][];

const options = {
  runs: { type: 'string', default: '200' },
  seed: { type: 'string' },
  kind: { type: 'string' },
  keep: { type: 'string' },
} as const;

type Peers = { readonly [Name in Peer]: PeerJvm<Step, Output> };

await runCommand({ name: 'npm run conformance:joins', usage: USAGE, options }, async ({ runs, seed, kind: only, keep: file }) => {
  const numRuns = wholeNumber('runs', runs, 1);
  const from = seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', seed, 0);
  const kinds = KINDS.filter((kind) => only === undefined || kind === only);
  if (kinds.length === 0) throw new UsageError(`--kind is ${only}: it must be one of ${KINDS.join(', ')}`);
  const peers: Peers = { Flink: new PeerJvm('Flink'), 'Kafka Streams': new PeerJvm('Kafka Streams') };
  try {
    if (file !== undefined) return await keep(peers, linesOf(file) as Case[]);
    const changed = [...(await changedChoices(peers)), ...(await changedCases(peers))];
    if (changed.length > 0) console.log(`others do otherwise than is written down in ${changed.length} cases. The first:\n${changed[0]}`);
    let isSame = changed.length === 0;
    for (const kind of kinds)
      for (const peer of PEERS[kind]) isSame = (await drawCases(peers, { kind, peer, numRuns, seed: from })) && isSame;
    return isSame ? 0 : 1;
  } finally {
    for (const peer of Object.values(peers)) await peer.stop();
  }
});

interface Drawing {
  readonly kind: Case['kind'];
  readonly peer: Peer;
  readonly numRuns: number;
  readonly seed: number;
}

/** Answers whether all that was drawn is the same. */
async function drawCases(peers: Peers, { kind, peer, numRuns, seed }: Drawing): Promise<boolean> {
  const startedMs = performance.now();
  const property = fc.asyncProperty(draws[kind] as fc.Arbitrary<Case>, async (asked) => (await compare(peers, peer, asked)) === undefined);
  const drawn = await fc.check(property, { seed, numRuns });
  if (drawn.counterexample === null) {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    console.log(`${kind}: ${drawn.numRuns} cases of seed ${seed} in ${seconds} s: Onceflow gives what ${peer} gives`);
    return true;
  }
  const [asked] = drawn.counterexample;
  console.log(`${kind}: case ${drawn.numRuns} of seed ${seed}, shrunk ${drawn.numShrinks} times:\n${JSON.stringify(asked)}`);
  console.log(report(await compare(peers, peer, asked)));
  return false;
}

async function compare(peers: Peers, peer: Peer, asked: Case): Promise<Difference | undefined> {
  return differenceOf(asked, peer, await ask(peers, peer, questionOf(asked, peer)), await ours(asked));
}

function ask(peers: Peers, peer: Peer, { operator, rounds }: Question): Promise<Answer> {
  return peers[peer].ask({ operator, steps: rounds.flat() });
}

function report(difference: Difference | undefined): string {
  if (difference === undefined) return 'it does not happen again';
  const { peer, round, expected, ours: given } = difference;
  const of = (name: string, lines: readonly string[]) => `${name}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  return `round ${round}\n${of(`by ${peer}`, expected)}${of('Onceflow', given)}`;
}

/** Those at which these peers do not what choices.ts says. */
async function changedChoices(peers: Peers): Promise<string[]> {
  const changed: string[] = [];
  for (const choice of choices) {
    const gave = theyGave(choice, await ask(peers, choice.peer, askedPlainly(choice)));
    if (!isDeepStrictEqual(gave, choice.theirs)) changed.push(`"${choice.name}": ${choice.peer} gives ${JSON.stringify(gave)}`);
  }
  return changed;
}

/** Those at which these peers do not what the fixture says. */
async function changedCases(peers: Peers): Promise<string[]> {
  const changed: string[] = [];
  for (const { asked, peer, answer } of readKept<KeptCase>(FILE))
    if (!isDeepStrictEqual(await ask(peers, peer, questionOf(asked, peer)), answer))
      changed.push(`${peer} gives another answer to ${JSON.stringify(asked)}`);
  return changed;
}

async function keep(peers: Peers, more: readonly Case[]): Promise<number> {
  const before = readKept<KeptCase>(FILE).map(({ asked, peer }) => ({ asked, peer }));
  const kept: KeptCase[] = [];
  for (const { asked, peer } of [...before, ...more.flatMap((asked) => PEERS[asked.kind].map((peer) => ({ asked, peer })))])
    kept.push({ asked, peer, answer: await ask(peers, peer, questionOf(asked, peer)) });
  writeKept(FILE, kept);
  console.log(`${kept.length} cases are kept`);
  return 0;
}
