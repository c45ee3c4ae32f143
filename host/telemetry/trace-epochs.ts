import type { Attributes, Context, Span, SpanStatusCode, Tracer } from '@opentelemetry/api';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { Clock } from '../../lib/ports/clock.ts';

export interface Tracing {
  readonly tracer: Tracer;
  /** Where what follows is a child of this span. */
  readonly within: (span: Span) => Context;
  /** Of every epoch. */
  readonly attributes: Attributes;
  readonly errorCode: SpanStatusCode.ERROR;
  readonly clock: Clock;
}

interface Traced {
  readonly span: Span;
  readonly stages: Map<string, Span>;
}

/**
 * A span for each attempt at an epoch, from its plan to its commit, with a child for the plan, each stage, the decision and the commit. One that
 * fails ends with its error; the next attempt is another span.
 */
export function traceEpochs({ tracer, within, attributes, errorCode, clock }: Tracing): (event: CoordinatorEvent) => void {
  const open = new Map<number, Traced>();

  /** A child that is over. */
  function child(of: Span, name: string, beganMs: number, endMs: number): void {
    tracer.startSpan(name, { startTime: beganMs }, within(of)).end(endMs);
  }

  /** Those from this one on come to nothing. */
  function drop(from: number, stage: string | undefined, message: string): void {
    for (const [epoch, { span, stages }] of open) {
      if (epoch < from) continue;
      for (const [name, each] of stages) {
        if (name === stage) each.setStatus({ code: errorCode, message });
        each.end();
      }
      span.setStatus({ code: errorCode, message: epoch === from ? message : `epoch ${from}, before it, failed` });
      span.end();
      open.delete(epoch);
    }
  }

  return (event) => {
    switch (event.event) {
      case 'planned': {
        const { ms = 0, epoch, decisionId, backlogRecords } = event;
        const of = { ...attributes, 'onceflow.epoch': epoch, 'onceflow.attempt': decisionId, 'onceflow.backlog': backlogRecords };
        const nowMs = clock.now();
        const span = tracer.startSpan('epoch', { startTime: nowMs - ms, attributes: of });
        open.set(epoch, { span, stages: new Map() });
        return child(span, 'plan', nowMs - ms, nowMs);
      }
      case 'stage-started': {
        const traced = open.get(event.epoch);
        const name = `stage ${event.stage}`;
        const options = { attributes: { 'onceflow.stage': event.stage } };
        if (traced !== undefined) traced.stages.set(event.stage, tracer.startSpan(name, options, within(traced.span)));
        return;
      }
      case 'stage-done': {
        const stages = open.get(event.epoch)?.stages;
        stages?.get(event.stage)?.end();
        stages?.delete(event.stage);
        return;
      }
      case 'attempt-failed':
        return drop(event.epoch, event.stage, event.message);
      case 'decided': {
        const span = open.get(event.epoch)?.span;
        span?.setAttributes({ 'onceflow.records.read': event.recordsIn, 'onceflow.records.written': event.recordsOut });
        if (span !== undefined) span.addEvent('decided');
        return;
      }
      case 'committed': {
        const traced = open.get(event.epoch);
        open.delete(event.epoch);
        if (traced === undefined) return;
        const nowMs = clock.now();
        const commitBeganMs = nowMs - event.ms;
        child(traced.span, 'decide', commitBeganMs - event.figures.decisionMs, commitBeganMs);
        child(traced.span, 'commit', commitBeganMs, nowMs);
        return traced.span.end(nowMs);
      }
      case 'ended':
        return drop(0, undefined, event.message);
      // They are of no attempt, or a part of one that has a span.
      case 'takes-over':
      case 'stands-by':
      case 'lease-taken':
      case 'started-from':
      case 'graph-changed':
      case 'start-passed-over':
      case 'starting-offsets':
      case 'recovered':
      case 'rescaled':
      case 'data-loss':
      case 'leaves-out':
      case 'dead-lettered':
      case 'late':
      case 'no-progress':
      case 'progress-again':
      case 'leftovers-ended':
      case 'held-up':
      case 'doubtful':
      case 'throttled':
      case 'left-alone':
      case 'still-failed':
      case 'waiting':
      case 'collected':
      case 'warning':
      case 'hanging-transaction':
        return;
      default:
        event satisfies never;
    }
  };
}
