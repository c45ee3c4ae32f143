import { json, type WindowAggregate, type WindowResult } from '../../lib/api/index.ts';

/** Of a window the values for which this is greatest: all of them when there are equals. */
export function greatest<T>(of: (value: T) => number): WindowAggregate<number, T, T[], WindowResult<number, T[]>> {
  return {
    accumulator: json<T[]>(),
    initial: [],
    add(values, value) {
      const [first] = values;
      const ahead = first === undefined ? 1 : of(value) - of(first);
      if (ahead > 0) return [value];
      if (ahead === 0) values.push(value);
      return values;
    },
  };
}
