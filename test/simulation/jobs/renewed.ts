import {
  defineJob,
  int32,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  renamed,
  utf8,
  valueState,
  versioned,
} from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf } from './lines.ts';

/** A number as build b has it. */
interface Amount {
  readonly n: number;
  readonly unit: 'times';
}
const amountOf = (n: number): Amount => ({ n, unit: 'times' });

const amount = versioned({ version: 2, serde: json<Amount>(), older: { 1: { serde: int64, migrate: amountOf } } });
/** Words became what they are spelled with: the order of a map's keys is another one by that. */
const spelled = versioned({
  version: 3,
  serde: json<string[]>(),
  older: { 1: { serde: utf8, migrate: (word) => [word, String(word.length)] } },
});
const place = versioned({ version: 2, serde: utf8, older: { 1: { serde: utf8, migrate: (old) => `at ${old}` } } });

/** As build a has it: a count, the places, and what other letters came how often. */
function before(build: Build, code: UserCode) {
  return {
    state: { count: valueState(int64, 0), places: listState(utf8), letters: mapState(utf8, int64), kept: valueState(int32, 0) },
    onRecord({ word, place: at, weight }: Sighting, { count, places, letters, kept }: BeforeHandles, out: Output<string>) {
      for (let left = timesOf(build, weight); left > 0; left--) {
        const n = count.update((of) => of + 1);
        letters.set(word.slice(-1), (letters.get(word.slice(-1)) ?? 0) + 1);
        out.emit(`${word} ${n} ${at}, ${[...places].join('+')}, ${letters.size}, ${kept.update((of) => of + 1)}`);
        places.add(at);
        if (places.length > 3) {
          places.clear();
          letters.delete(word.slice(-1));
        } else if (n % 3 === 0) places.set(0, at);
        if (n % 9 === 0) count.clear();
      }
      code.check('operator', word);
    },
  };
}

interface BeforeHandles {
  readonly count: { update(fn: (n: number) => number): number; clear(): void };
  readonly places: Iterable<string> & {
    readonly length: number;
    add(at: string): void;
    set(index: number, at: string): void;
    clear(): void;
  };
  readonly letters: {
    readonly size: number;
    get(key: string): number | undefined;
    set(key: string, n: number): void;
    delete(key: string): boolean;
  };
  readonly kept: { update(fn: (n: number) => number): number };
}

/** The same as build b has it: under other names, and in other forms. */
function after(build: Build, code: UserCode) {
  return {
    state: {
      amount: renamed(valueState(amount, amountOf(0)), { formerly: ['total', 'count'] }),
      places: listState(place),
      spellings: renamed(mapState(spelled, amount), { formerly: 'letters' }),
      kept: valueState(int32, 0),
    },
    onRecord({ word, place: at, weight }: Sighting, { amount: held, places, spellings, kept }: AfterHandles, out: Output<string>) {
      const letter = [word.slice(-1), '1'];
      for (let left = timesOf(build, weight); left > 0; left--) {
        const { n } = held.update((of) => amountOf(of.n + 1));
        spellings.set(letter, amountOf((spellings.get(letter)?.n ?? 0) + 1));
        const were = [...places].map((old) => old.slice('at '.length)).join('+');
        out.emit(`${word} ${n} ${at}, ${were}, ${spellings.size}, ${kept.update((of) => of + 1)}`);
        places.add(`at ${at}`);
        if (places.length > 3) {
          places.clear();
          spellings.delete(letter);
        } else if (n % 3 === 0) places.set(0, `at ${at}`);
        if (n % 9 === 0) held.clear();
      }
      code.check('operator', word);
    },
  };
}

interface AfterHandles {
  readonly amount: { update(fn: (of: Amount) => Amount): Amount; clear(): void };
  readonly places: BeforeHandles['places'];
  readonly spellings: {
    readonly size: number;
    get(key: string[]): Amount | undefined;
    set(key: string[], of: Amount): void;
    delete(key: string[]): boolean;
  };
  readonly kept: BeforeHandles['kept'];
}

/** An update gives the operator and its states other names, and has them written in another form: what there is is migrated. */
export const renewed: SimJob = {
  name: 'renewed',
  grows: true,
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const keyed = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word.slice(0, 2), utf8);
      const written =
        build === 'a'
          ? keyed.process('count', before(build, code))
          : keyed.process({ uid: 'tally', formerly: ['sum', 'count'] }, after(build, code));
      written.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};
