import { waitForDebugger } from '../../host/debugger.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { type EpochAgain, replayEpochs } from '../../lib/replay/replay.ts';
import { openReplay, refusalSaid } from '../archive.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { epochNumber, flag, portNumber, wholeNumber } from '../options.ts';
import { printsAside } from '../prints-aside.ts';
import { epochText } from '../replay-text.ts';
import type { CommandTools } from '../tools.ts';

const DEBUGGER_PORT = 9229;

export default command({
  name: 'replay',
  usage: 'run a decided epoch again on this machine, and compare what comes of it with what was decided',
  more: `The epoch begins at the snapshots of the one before it, reads its own records from Kafka, and has its own times. Nothing is written anywhere. The
code is that of the module in ONCEFLOW_JOB. docs/replay.md says what must be kept for it, and what makes an epoch differ though nothing is wrong.`,
  options: {
    epoch: epochNumber('the epoch'),
    'inspect-brk': flag('wait for a debugger, and stop in it before the first record'),
    'inspect-port': portNumber(`where the debugger connects (default ${DEBUGGER_PORT})`),
    keys: wholeNumber({ takes: 'N', default: 20, help: 'of each operator and sink show at most so many keys that differ' }),
  },
  examples: [
    { call: 'replay --job word-count --epoch 1207', does: 'exit code 0 when output and state are the same, 10 when they differ' },
    { call: 'replay --job word-count --epoch 1207 --inspect-brk', does: 'stops in a debugger (chrome://inspect, or that of an editor)' },
  ],
  async run(tools, values) {
    const { epoch, keys } = values;
    if (epoch === undefined) throw new UsageError('which epoch? Give --epoch N; "onceflow epochs" shows them');
    if (values['inspect-port'] !== undefined && !values['inspect-brk']) throw new UsageError('--inspect-port goes with --inspect-brk');
    const port = values['inspect-brk'] ? (values['inspect-port'] ?? DEBUGGER_PORT) : undefined;
    return refusalSaid(() => replay(tools, epoch, keys, port));
  },
});

async function replay(tools: CommandTools, epoch: number, keys: number, port: number | undefined): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const { replay: opened } = await openReplay(tools, row, { code: 'as-it-was', mostKeys: keys });
  const onReady = port === undefined ? {} : { onReady: () => waitForDebugger(port, tools.say) };
  const found = await printsAside(() => replayEpochs({ ...opened, ...onReady }, epoch, epoch).next());
  if (found.done === true) throw new Error(`epoch ${epoch} came to nothing`);
  return replayResult(tools.job, found.value, keys);
}

export function replayResult(job: string, found: EpochAgain, keys: number): CommandResult {
  return { code: found.outcome === 'equal' ? EXIT.ok : EXIT.different, json: { job, ...found }, text: epochText(found, keys) };
}
