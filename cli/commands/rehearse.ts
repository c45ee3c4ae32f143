import { UsageError } from '../../lib/config/usage-error.ts';
import { type EpochAgain, replayEpochs } from '../../lib/replay/replay.ts';
import { openReplay, refusalSaid } from '../archive.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { epochRange, wholeNumber } from '../options.ts';
import { printsAside } from '../prints-aside.ts';
import { epochText } from '../replay-text.ts';
import { plural } from '../text.ts';
import type { CommandTools } from '../tools.ts';

export default command({
  name: 'rehearse',
  usage: 'run changed code over decided epochs on this machine, and show what it would have made of them',
  more: `Each epoch reads the records that it read then, and begins with the state that the changed code had after the one before; the first with the real
snapshots. The output of each is compared, and the state after the last. State is matched by uid and name; what is new starts empty; a change that a
start would refuse is refused. Nothing is written anywhere.`,
  options: {
    epochs: epochRange('from epoch A to epoch B'),
    keys: wholeNumber({ takes: 'N', default: 20, help: 'of each operator and sink show at most so many keys that differ' }),
  },
  examples: [
    {
      call: 'rehearse --job ./src/new-job.ts --epochs 900..950',
      does: 'exit code 0 when it makes the same of them, 10 when output or state differ',
    },
  ],
  async run(tools, { epochs, keys }) {
    if (epochs === undefined) throw new UsageError('which epochs? Give --epochs A..B; "onceflow epochs" shows them');
    return refusalSaid(() => rehearse(tools, epochs, keys));
  },
});

async function rehearse(tools: CommandTools, { first, last }: { first: number; last: number }, keys: number): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const { replay, news } = await openReplay(tools, row, { code: 'changed', mostKeys: keys });
  for (const each of news) tools.say(each);
  const found: EpochAgain[] = [];
  const epochs = replayEpochs(replay, first, last);
  for (;;) {
    const next = await printsAside(() => epochs.next());
    if (next.done === true) break;
    found.push(next.value);
    if (!tools.json) tools.show(epochText(next.value, keys));
  }
  return rehearsalResult(tools.job, { first, last, news }, found);
}

export function rehearsalResult(
  job: string,
  asked: { readonly first: number; readonly last: number; readonly news: readonly string[] },
  found: readonly EpochAgain[],
): CommandResult {
  const differing = found.filter(({ outcome }) => outcome === 'different').length;
  const failed = found.find(({ outcome }) => outcome === 'failed');
  const isEqual = differing === 0 && failed === undefined;
  const ran = `${plural(found.length, 'epoch')} run again`;
  const text =
    failed === undefined
      ? `${ran}: ${isEqual ? 'all equal' : `${differing} differ`}`
      : `${ran}; epoch ${failed.epoch} failed, and ends the rehearsal`;
  return { code: isEqual ? EXIT.ok : EXIT.different, json: { job, ...asked, epochs: found }, text };
}
