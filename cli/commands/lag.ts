import { type LagByPartition, type PartitionLag, readLag } from '../../lib/inspect/lag.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { paint, plural, tableOf } from '../text.ts';

export default command({
  name: 'lag',
  usage: 'how far each partition of each source is behind',
  more: `"position" is the next offset that the job reads, as of its last completed epoch, and "lag" what of the topic is committed behind it.
"held up" is what lies behind the last stable offset, because a transaction is open in the topic: nobody can read that yet.
All of it counts offsets, which are more than records: each end of a transaction takes one.`,
  options: {},
  examples: [
    { call: 'lag --job word-count', does: 'every partition, and the sum' },
    { call: 'lag --job word-count --json', does: 'the same for a script: .records is the sum' },
  ],
  async run(tools) {
    const found = await readLag(tools);
    return found === undefined ? noSuchJob(tools) : lagResult(found);
  },
});

export function lagResult(found: LagByPartition): CommandResult {
  const records = sumOf(found.partitions, 'lag');
  const heldUp = sumOf(found.partitions, 'heldUp');
  return { code: EXIT.ok, json: { ...found, records, heldUp }, text: textOf(found, records, heldUp) };
}

function sumOf(partitions: readonly PartitionLag[], of: 'lag' | 'heldUp'): number {
  return partitions.reduce((sum, partition) => sum + partition[of], 0);
}

function textOf({ job, epoch, partitions }: LagByPartition, records: number, heldUp: number): string {
  if (epoch === null) return `job ${job} has not completed an epoch yet: it has no position`;
  const rows = partitions.map(({ source, topic, partition, at, end, highWatermark, lag, heldUp: held }) =>
    [source, topic, partition, at, end, highWatermark, lag, held === 0 ? '' : held].map(String),
  );
  const sum = `${plural(records, 'offset')} behind in ${plural(partitions.length, 'partition')}, as of epoch ${epoch}`;
  const held = heldUp === 0 ? '' : paint('yellow', `; ${plural(heldUp, 'more is', 'more are')} held up by an open transaction`);
  return `${tableOf(COLUMNS, rows)}\n\n${sum}${held}`;
}

const COLUMNS = [
  { title: 'source' },
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'position', align: 'right' },
  { title: 'last stable', align: 'right' },
  { title: 'high watermark', align: 'right' },
  { title: 'lag', align: 'right' },
  { title: 'held up', align: 'right' },
] as const;
