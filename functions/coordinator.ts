import type { Context } from 'aws-lambda';
import { openLambdaInvoker } from '../host/invoker.ts';
import { observeOnLambda } from '../host/lambda-observer.ts';
import { runCoordinator } from '../host/run-coordinator.ts';
import type { CoordinatorEnd } from '../lib/epoch/coordinator/context.ts';
import { type StartAt, startAtIn } from '../lib/epoch/start/start-at.ts';

/** What is asked of the coordinator's function. */
export type CoordinatorPayload =
  /**
   * An explicit start: by a person or a deployment. Takes the job over from whoever runs it. `askedAt`: when, as ISO 8601; one that
   * comes minutes later, because the platform was busy, starts nothing. `at`: from where, if not from its last epoch.
   */
  | { readonly ask: 'start'; readonly askedAt?: string; readonly at?: StartAt }
  /** The schedule, every minute: starts the job again if nobody runs it. */
  | { readonly ask: 'tick' };

/**
 * Before the platform ends the function the coordinator has this long to finish what is under way, commit it, settle every
 * transaction and give up its lease: 4 s for epochs, 10 s for commits, the rest for slow answers.
 */
const HAND_OVER_MARGIN_MS = 20_000;

/** Runs the coordinator for as long as the platform lets it. Throws when the job failed, so that the platform counts it. */
export async function handler(payload: unknown, context: Context): Promise<CoordinatorEnd> {
  const { ask, askedAtMs, startAt } = askedIn(payload);
  const forMs = context.getRemainingTimeInMillis() - HAND_OVER_MARGIN_MS;
  const handOver = new AbortController();
  const timer = setTimeout(() => handOver.abort(), forMs);
  try {
    const end = await runCoordinator({
      invoker: (host, observe) => openLambdaInvoker(host, (name) => observe({ event: 'throttled', function: name })),
      observer: (host) => observeOnLambda(host, context),
      stop: new AbortController().signal,
      handOver: handOver.signal,
      term: {
        startKind: ask === 'start' ? 'explicit' : 'revival',
        holder: `${ask} ${context.awsRequestId}`,
        endsInMs: forMs,
        askedAtMs,
        startAt,
      },
    });
    if (end.end === 'failed') throw new Error(end.message);
    return end;
  } finally {
    clearTimeout(timer);
  }
}

interface Asked {
  readonly ask: CoordinatorPayload['ask'];
  readonly askedAtMs: number | undefined;
  readonly startAt: StartAt | undefined;
}

function askedIn(payload: unknown): Asked {
  const { ask, askedAt, at } = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>;
  const askedAtMs = typeof askedAt === 'string' ? Date.parse(askedAt) : Number.NaN;
  const isInstant = askedAt === undefined || !Number.isNaN(askedAtMs);
  const startAt = startAtIn(at);
  const isRight = ask === 'tick' || (ask === 'start' && isInstant && (at === undefined) === (startAt === undefined));
  if (isRight) return { ask, askedAtMs: askedAt === undefined ? undefined : askedAtMs, startAt };
  throw new Error(
    `the payload of the invocation is ${JSON.stringify(payload)}: it must be {"ask":"start"}, with "askedAt":"2026-01-31T12:00:00Z" if it is to be refused when it comes late, or, from a schedule, {"ask":"tick"}`,
  );
}
