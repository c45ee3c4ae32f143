import type { OlderForm, Serde } from './serde.ts';
import { hasPrimitives, isOfPrimitives } from './serdes.ts';

/** How values are written, and how those are read that earlier builds have written. */
export interface VersionedOptions<T, Before> {
  /** Of what `serde` writes: a whole number, 1 at least. What a job wrote that named no version is version 1. */
  readonly version: number;
  /** How values are written from now on. */
  readonly serde: Serde<T>;
  /**
   * By version, how what was written in it is read: by the serde that wrote it, and what `migrate` makes of it. `migrate` is asked whenever
   * a value is loaded that was not written since: it makes the same of the same value, and neither waits nor looks at anything else.
   * A version stays here as long as savepoints and snapshots may hold it; what does not is not read.
   * @default none: only what is written now is read
   */
  readonly older?: { readonly [Version in keyof Before]: OlderVersion<NoInfer<T>, Before[Version]> };
}

/** How values of an earlier version are read. */
export interface OlderVersion<T, Old> {
  /** The one that wrote them. */
  readonly serde: Serde<Old>;
  /** Makes of a value what it is now. */
  readonly migrate: (value: Old) => T;
}

type AnySerde = Serde<unknown>;

/** Names of serdes do not end like this: it says that a version comes behind them. */
const VERSION_IN_NAME = /@\d+$/;

/**
 * A serde for state whose form changes from one build to the next: what was written in an earlier version is read, migrated and, when it is
 * next written, written as it is now. The version is part of what snapshots say of a state, so nothing is ever read in a form in which it
 * was not written; a version that is not among `older` is refused when the job is started. For topics there are formats that say what they
 * hold (`onceflow/avro`, `onceflow/protobuf`): this says nothing in front of a value, and is refused in sources and sinks.
 *
 * @example
 * const total = versioned({
 *   version: 2,
 *   serde: json<{ cents: number; currency: string }>(),
 *   older: { 1: { serde: int64, migrate: (cents) => ({ cents, currency: 'EUR' }) } },
 * });
 * const state = { total: valueState(total, { cents: 0, currency: 'EUR' }) };
 * @throws TypeError when the versions are none, or a serde's name ends like a version
 */
export function versioned<T, const Before extends Readonly<Record<number, unknown>> = Record<never, never>>(
  options: VersionedOptions<T, Before>,
): Serde<T> {
  const { version, serde } = options as VersionedOptions<unknown, Before>;
  const older = Object.entries((options.older ?? {}) as Readonly<Record<string, OlderVersion<unknown, unknown>>>);
  checkVersion(version, 'version');
  checkSerde(serde, `version ${version}`);
  const forms = older.map(([key, before]): OlderForm => {
    const number = Number(key);
    checkVersion(number, `the version ${JSON.stringify(key)} in older`);
    if (number >= version)
      throw new TypeError(`versioned: older has version ${number}, and what is written is version ${version}: it must be an earlier one`);
    checkSerde(before?.serde, `version ${number}`);
    const { serde: own, migrate } = before;
    if (typeof migrate !== 'function')
      throw new TypeError(`versioned: version ${number} in older has no migrate: a function that makes of its values what they are now`);
    return { name: nameOf(own, number), read: (bytes, start, end) => migrate(own.read(bytes, start, end)) };
  });
  const made: AnySerde = {
    ...preparing([serde, ...older.map(([, before]) => before.serde)]),
    name: nameOf(serde, version),
    write: (value, out) => serde.write(value, out),
    read: (bytes, start, end) => serde.read(bytes, start, end),
    older: forms,
  };
  if (hasPrimitives(serde)) isOfPrimitives(made);
  return made as Serde<T>;
}

/** A serde that is made of another one reads what that one reads: its earlier forms too, each within its own. */
export function madeOf<Inner, Outer>(inner: Serde<Inner>, make: (inner: Serde<Inner>) => Serde<Outer>): Serde<Outer> {
  const made = make(inner);
  if (inner.older === undefined) return made;
  const older = inner.older.map((form): OlderForm => {
    const { name, read } = make({ ...(form as OlderForm & Pick<Serde<Inner>, 'read'>), write: inner.write });
    return { name, read };
  });
  return { ...made, older };
}

function nameOf({ name }: AnySerde, version: number): string {
  return version === 1 ? name : `${name}@${version}`;
}

function preparing(serdes: readonly AnySerde[]): Pick<AnySerde, 'prepare'> {
  const asking = serdes.filter(({ prepare }) => prepare !== undefined);
  if (asking.length === 0) return {};
  return {
    async prepare() {
      for (const serde of asking) await serde.prepare?.();
    },
  };
}

function checkVersion(version: unknown, what: string): void {
  if (Number.isSafeInteger(version) && (version as number) >= 1) return;
  throw new TypeError(`versioned: ${what} is ${JSON.stringify(version)}, and must be a whole number, 1 at least`);
}

function checkSerde(serde: AnySerde | undefined, what: string): void {
  if (typeof serde?.name !== 'string' || typeof serde.read !== 'function')
    throw new TypeError(`versioned: the serde of ${what} is none (an object with name, read and write)`);
  if (VERSION_IN_NAME.test(serde.name))
    throw new TypeError(
      `versioned: the serde of ${what} is named ${serde.name}, as if it had a version itself: give versioned the plain one, with another name`,
    );
}
