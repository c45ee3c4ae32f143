import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';

/** What a person wants to read of a coordinator's event; undefined for the others. */
export function eventText(event: CoordinatorEvent): string | undefined {
  switch (event.event) {
    case 'lease-taken':
      return `generation ${event.generation} leads; last epoch completed: ${event.lastCompleted ?? 'none'}`;
    case 'started-from':
      return [
        `started from ${event.from}, in incarnation ${event.incarnation}`,
        ...changesOf(event),
        ...(event.dropped.length > 0 ? [`left behind: ${event.dropped.join(', ')}`] : []),
        ...(event.sourceOffsets === undefined ? [] : [`its sources at ${event.sourceOffsets}`]),
      ].join('; ');
    case 'graph-changed':
      return ['the graph of the job is another', ...changesOf(event)].join('; ');
    case 'recovered':
      return `recovered epoch ${event.epoch}: ${event.committed} committed again, ${event.republished} published again`;
    case 'decided':
      return `epoch ${event.epoch} decided: ${event.recordsIn} records in, ${event.recordsOut} out`;
    case 'committed':
      return `epoch ${event.epoch} committed`;
    case 'attempt-failed':
      return `epoch ${event.epoch} failed in ${event.stage}, trying again in ${event.retryInMs} ms: ${event.message}`;
    case 'leaves-out':
      return `topic ${event.topic}, partition ${event.partition}, offset ${event.offset} keeps failing in ${event.reason.operator}: it goes to the dead-letter topic`;
    case 'dead-lettered':
      return `epoch ${event.epoch}: ${event.records} records went to the dead-letter topic`;
    case 'late':
      return event.dropped > 0 ? `epoch ${event.epoch}: ${event.dropped} values came too late and were dropped` : undefined;
    case 'no-progress':
      return `no progress for ${Math.round(event.forMs / 1000)} s, ${event.failuresInARow} failures in a row; the last error: ${event.lastError ?? 'none'}`;
    case 'progress-again':
      return 'there is progress again';
    case 'takes-over':
    case 'start-passed-over':
    case 'data-loss':
      return event.message;
    case 'warning':
      return `warning: ${event.message}`;
    default:
      return undefined;
  }
}

function changesOf({ added, renamed }: { readonly added: readonly string[]; readonly renamed: readonly string[] }): string[] {
  return [...renamed, ...(added.length > 0 ? [`${added.join(', ')}, and starts empty`] : [])];
}
