/** Which request, in which version. `flexible`: header v2 and compact types (KIP-482). */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  readonly flexible: boolean;
  /** The first version of Apache Kafka that knows it, when it is younger than what the engine needs. */
  readonly since?: string;
}

/** In flexible versions: behind a structure that has no tagged fields. */
export const NO_TAGS = 0;
/** In flexible versions compact types carry length + 1: 0 is null. */
export const compactLength = (length: number): number => length + 1;

/** One request, ready for the wire, and how to read its response. */
export interface WireRequest<T> {
  readonly api: Api;
  /** The request behind its header, in pieces that are written one after another without being copied. */
  readonly body: readonly Uint8Array[];
  /** Reads the response behind its header. Throws when the bytes are not such a response. */
  decode(payload: Buffer): T | Promise<T>;
  /** How long the broker asks us to send nothing, in milliseconds (KIP-219). */
  throttleMs(response: T): number;
  /** How long the broker may hold the request before it answers, in milliseconds. Added to the request timeout. */
  readonly heldMs: number;
}

/**
 * The connection failed, or the time for the answer ran out: the request may or may not have been carried out.
 * A value, not an error: every request has to count on it.
 */
export class NoAnswer {
  /** For people: which broker, and what happened. */
  readonly reason: string;
  /** The connection stood, and the time ran out. */
  readonly timedOut: boolean;
  constructor(reason: string, timedOut = false) {
    this.reason = reason;
    this.timedOut = timedOut;
  }
}
