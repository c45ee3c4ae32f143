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
    case 'rescaled':
      return `from epoch ${event.epoch} on ${event.stage} has ${event.to} subtasks in place of ${event.from}: ${event.why}`;
    case 'held-up':
      return `${event.records} records of the input cannot be read yet: transactions of others are open before them`;
    case 'doubtful':
      return `epoch ${event.epoch} was in doubt: ${event.resolution}`;
    case 'waiting':
      return `waits for ${event.what} for ${Math.round(event.forMs / 1000)} s`;
    case 'throttled':
      return `function ${event.function} was not run: too many are running`;
    case 'progress-again':
      return 'there is progress again';
    case 'takes-over':
    case 'start-passed-over':
    case 'data-loss':
    case 'stands-by':
    case 'hanging-transaction':
    case 'still-failed':
    case 'left-alone':
      return event.message;
    case 'warning':
      return `warning: ${event.message}`;
    // Of each epoch, or of its own making: what people read is said of what they come to.
    case 'starting-offsets':
    case 'planned':
    case 'stage-started':
    case 'stage-done':
    case 'collected':
    case 'leftovers-ended':
    case 'ended':
      return undefined;
    default:
      return event satisfies never;
  }
}

function changesOf({ added, renamed }: { readonly added: readonly string[]; readonly renamed: readonly string[] }): string[] {
  return [...renamed, ...(added.length > 0 ? [`${added.join(', ')}, and starts empty`] : [])];
}
