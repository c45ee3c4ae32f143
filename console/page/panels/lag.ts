import { duration } from '../../../lib/inspect/duration.ts';
import type { PartitionLag } from '../../../lib/inspect/lag.ts';
import type { OperatorDue, PartitionWatermark } from '../../../lib/inspect/time.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { Facts, Share, Shown, Table } from '../shown.ts';
import { ago, moment, number, plural } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 2_000;

export function Lag({ job }: PanelProps): View {
  const reading = usePanel('lag', EVERY_MS);
  return html`
    <section aria-labelledby="behind"><h2 id="behind">How far the last completed epoch is behind Kafka</h2>
      <${Shown} reading=${reading} view=${(partitions: readonly PartitionLag[]) => html`<${Behind} partitions=${partitions} />`} />
    </section>
    ${job.status.time !== null && html`<section aria-labelledby="time"><h2 id="time">How far time has come</h2><${Time} job=${job} /></section>`}
  `;
}

function Behind({ partitions }: { readonly partitions: readonly PartitionLag[] }): View {
  const all = partitions.reduce((sum, { lag }) => sum + lag, 0);
  const held = partitions.reduce((sum, { heldUp }) => sum + heldUp, 0);
  const most = Math.max(1, ...partitions.map(({ lag }) => lag));
  const behind = partitions.filter(({ lag }) => lag > 0).length;
  return html`
    <p>${all === 0 ? 'No partition is behind' : `${plural(all, 'record')} (offsets) in ${behind} of ${plural(partitions.length, 'partition')}`}${held > 0 ? `; ${plural(held, 'offset')} more are held up by a transaction that is open in the topic` : ''}.</p>
    <${Table} caption="By partition" rows=${partitions} empty="the job has completed no epoch yet, or reads no partition" columns=${[
      { title: 'source', cell: ({ source }: PartitionLag) => source },
      { title: 'partition', cell: ({ topic, partition }: PartitionLag) => `${topic}-${partition}` },
      { title: 'at', as: 'number', cell: ({ at }: PartitionLag) => number(at) },
      { title: 'end', as: 'number', cell: ({ end }: PartitionLag) => number(end) },
      { title: 'held up', as: 'number', cell: ({ heldUp }: PartitionLag) => (heldUp > 0 ? `▲ ${number(heldUp)}` : '') },
      { title: 'lag', as: 'number', cell: ({ lag }: PartitionLag) => number(lag) },
      {
        title: '',
        cell: ({ lag, topic, partition }: PartitionLag) =>
          html`<${Share} of=${lag} whole=${most} label=${`lag of ${topic}-${partition}`} />`,
      },
    ]} />
  `;
}

type SourcePartition = PartitionWatermark & { readonly source: string };

function Time({ job: { status, nowMs } }: Pick<PanelProps, 'job'>): View {
  const { time } = status;
  if (time === null) return undefined;
  const partitions = time.sources.flatMap(({ source, partitions: of }) => of.map((each): SourcePartition => ({ source, ...each })));
  return html`
    <${Facts} of=${[
      ['processing time of the last epoch', `${moment(time.processingMs)}, ${ago(time.processingMs, nowMs)}`],
      ...time.stages.map(({ stage, watermarkMs }) => [`watermark of ${stage}`, moment(watermarkMs)] as const),
      ...time.late.map(
        ({ operator, dropped, passedOn }) =>
          [`late for ${operator}`, `${plural(dropped, 'value')} dropped, ${number(passedOn)} given to its late stream`] as const,
      ),
    ]} />
    <${Table} caption="Watermarks by partition" rows=${partitions} empty="no source has event time" columns=${[
      { title: 'source', cell: ({ source }: SourcePartition) => source },
      { title: 'partition', cell: ({ topic, partition }: SourcePartition) => `${topic}-${partition}` },
      { title: 'watermark', cell: ({ watermarkMs }: SourcePartition) => (watermarkMs === null ? 'none yet' : moment(watermarkMs)) },
      { title: '', cell: (each: SourcePartition) => standingText(each, time.processingMs) },
    ]} />
    <${Table} caption="What operators wait for" rows=${time.due} empty="no operator waits for a time" columns=${[
      { title: 'operator', cell: ({ operator }: OperatorDue) => operator },
      { title: 'event time', cell: ({ eventMs }: OperatorDue) => (eventMs === null ? '' : moment(eventMs)) },
      { title: 'processing time', cell: ({ processingMs }: OperatorDue) => (processingMs === null ? '' : moment(processingMs)) },
    ]} />
  `;
}

function standingText({ standing, activeMs }: PartitionWatermark, processingMs: number): string {
  if (standing === 'idle') return `idle for ${duration(processingMs - activeMs)}`;
  return standing === 'holds-back' ? '▲ holds the others back' : '';
}
