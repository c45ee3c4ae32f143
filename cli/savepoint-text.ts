import type { InspectedSavepoint, SavepointSummary } from '../lib/inspect/savepoints.ts';
import type { UnreadableSavepoint } from '../lib/ports/epoch-store.ts';
import { fieldsOf, instant, tableOf } from './text.ts';

const COLUMNS = [
  { title: 'savepoint' },
  { title: 'epoch', align: 'right' },
  { title: 'incarnation' },
  { title: 'made at' },
  { title: 'is' },
] as const;

export function savepointsText(job: string, savepoints: readonly (SavepointSummary | UnreadableSavepoint)[]): string {
  if (savepoints.length === 0) return `job ${job} has no savepoint ("onceflow savepoint create NAME" makes one)`;
  const rows = savepoints.map((each) => {
    if (each.standing === 'unreadable') return [each.name, '', '', '', each.standing];
    const { name, epoch, incarnation, createdAtMs, standing } = each;
    return [name, `${epoch}`, incarnation, instant(createdAtMs), standing];
  });
  const unreadable = savepoints.flatMap((each) => (each.standing === 'unreadable' ? [each.why] : []));
  return [tableOf(COLUMNS, rows), ...unreadable].join('\n');
}

export function savepointText(savepoint: InspectedSavepoint): string {
  const { job, name, epoch, incarnation, createdAtMs, standing, maxParallelism } = savepoint;
  const offsets = Object.entries(savepoint.offsets).flatMap(([uid, topics]) =>
    Object.entries(topics).map(([topic, next]) => `${uid}: topic ${topic}: ${next.map((offset, at) => `${at}:${offset}`).join(' ')}`),
  );
  const state = savepoint.state.map(({ uid, subtasks, blobs, bytes }) => `${uid}: ${bytes} bytes, ${subtasks} subtasks, ${blobs} blobs`);
  const fields: [string, string][] = [
    ['epoch', `${epoch} of incarnation ${incarnation}`],
    ['made at', instant(createdAtMs)],
    ['is', standing],
    ['max parallelism', `${maxParallelism}`],
    ['goes on at', offsets.join('\n')],
    ['state', state.length === 0 ? 'none' : state.join('\n')],
  ];
  return `savepoint ${name} of job ${job}\n${fieldsOf(fields)}`;
}
